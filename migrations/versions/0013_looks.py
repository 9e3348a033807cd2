"""The similarity key of each result, near for similar pictures; 0 for what was classified before."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("results", sa.Column("looks", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_results_looks", "results", ["job_id", "looks", "image_id"])


def downgrade() -> None:
    op.drop_index("ix_results_looks", "results")
    op.drop_column("results", "looks")
