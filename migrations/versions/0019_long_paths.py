"""Index the beginning of paths: PostgreSQL takes at most 2,704 bytes into an index, and paths have up to 4,096."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.drop_index("ix_images_path", "images")
    op.create_index("ix_images_path", "images", ["upload_id", sa.text("substr(path, 1, 500)"), "ordinal"])


def downgrade() -> None:
    op.drop_index("ix_images_path", "images")
    op.create_index("ix_images_path", "images", ["upload_id", "path", "ordinal"])
