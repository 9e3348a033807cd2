"""Backups: while one runs, no blob is deleted."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_table(
        "backups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("lease_until", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("n_blobs", sa.Integer(), nullable=False),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backups"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("backups")
