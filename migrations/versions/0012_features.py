"""What networks see: a heat map with each result, features of shards as blobs, and which versions share a body."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("results", sa.Column("heat", sa.LargeBinary(), nullable=True))
    op.add_column("model_versions", sa.Column("body", sa.String(), nullable=True))
    op.create_index("ix_model_versions_body", "model_versions", ["body"])
    op.create_table(
        "shard_features",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shard_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("n_images", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["shard_id"], ["shards.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("blob_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shard_features_shard", "shard_features", ["shard_id", "body"])
    op.create_index("ix_shard_features_body", "shard_features", ["body"])


def downgrade() -> None:
    op.drop_table("shard_features")
    op.drop_index("ix_model_versions_body", "model_versions")
    op.drop_column("model_versions", "body")
    op.drop_column("results", "heat")
