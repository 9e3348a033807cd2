"""Counters and timings of all processes, and the time since when chunks wait."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_table(
        "measures",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels"),
        sqlite_with_rowid=False,
    )
    op.add_column("chunks", sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("chunks", "ready_at")
    op.drop_table("measures")
