"""Usage: what each person's uploads use, and may use."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
runs_beside_old_workers = False  # old web servers would count no usage

COUNTED = sa.text(
    "INSERT INTO usage (user_id, n_bytes, n_images)"
    " SELECT user_id, SUM(n_bytes), SUM(n_images) FROM uploads"
    " WHERE purged_at IS NULL AND user_id IS NOT NULL GROUP BY user_id"
)


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.Column("n_images", sa.BigInteger(), nullable=False),
        sa.Column("max_bytes", sa.BigInteger()),
        sa.Column("max_images", sa.BigInteger()),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_usage_user_id_users"),
        sa.PrimaryKeyConstraint("user_id", name="pk_usage"),
    )
    op.execute(COUNTED)


def downgrade() -> None:
    op.drop_table("usage")
