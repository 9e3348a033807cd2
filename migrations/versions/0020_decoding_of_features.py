"""Keep the number of the decoding rules with features and predictions, and with evaluations what it changed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    for table in ("shard_features", "judgements"):
        op.add_column(table, sa.Column("decoding", sa.Integer(), server_default="1", nullable=False))
    op.add_column("trainings", sa.Column("decoding_change", sa.JSON()))


def downgrade() -> None:
    op.drop_column("trainings", "decoding_change")
    for table in ("judgements", "shard_features"):
        op.drop_column(table, "decoding")
