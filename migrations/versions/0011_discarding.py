"""Originals that are discarded once they are classified: the request, its time, and the previews."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("uploads", sa.Column("discards", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("uploads", sa.Column("discarded_at", Instant()))
    op.add_column("shards", sa.Column("thumbnails_key", sa.String()))
    op.add_column("shards", sa.Column("is_gone", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("shards", "is_gone")
    op.drop_column("shards", "thumbnails_key")
    op.drop_column("uploads", "discarded_at")
    op.drop_column("uploads", "discards")
