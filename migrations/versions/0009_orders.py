"""Indexes for the orders of a job's pictures: by path, and by confidence over all classes."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_index("ix_images_path", "images", ["upload_id", "path", "ordinal"])
    op.create_index("ix_results_doubt", "results", ["job_id", "confidence", "image_id"])


def downgrade() -> None:
    op.drop_index("ix_results_doubt", "results")
    op.drop_index("ix_images_path", "images")
