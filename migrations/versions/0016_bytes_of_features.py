"""The size of stored features, so that a clean-up by size counts them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
runs_beside_old_workers = True

BYTES_EACH = 2 * 1280 + 32 * 32 + 32  # of `efficientnet-lite0`: features, sketch, hash; a bit too much for smaller ones


def upgrade() -> None:
    op.add_column("shard_features", sa.Column("n_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    table = sa.table("shard_features", sa.column("n_bytes"), sa.column("n_images"))
    op.execute(table.update().values(n_bytes=BYTES_EACH * table.c.n_images))


def downgrade() -> None:
    op.drop_column("shard_features", "n_bytes")
