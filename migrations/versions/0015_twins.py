"""Near-duplicates: sketches of labelled pictures, and groups of almost identical contents."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_table(
        "sketches",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("greys", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "twins",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("group_id", sa.LargeBinary(), nullable=False),
        sa.Column("is_bridge", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_twins_group_id", "twins", ["group_id"])


def downgrade() -> None:
    op.drop_table("twins")
    op.drop_table("sketches")
