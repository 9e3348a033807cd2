"""What it takes to serve users in turn, and to decode slow images last."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("chunks", sa.Column("claimed_at", Instant()))
    op.add_column("chunks", sa.Column("is_slow", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("uploads", sa.Column("slow_decode_s", sa.Double(), server_default="0", nullable=False))
    op.create_index("ix_chunks_ready", "chunks", ["job_id", "state", "is_slow", "id"])
    op.create_index("ix_chunks_claimed", "chunks", ["job_id", "claimed_at"])


def downgrade() -> None:
    op.drop_index("ix_chunks_claimed", "chunks")
    op.drop_index("ix_chunks_ready", "chunks")
    op.drop_column("uploads", "slow_decode_s")
    for column in ("is_slow", "claimed_at"):
        op.drop_column("chunks", column)
