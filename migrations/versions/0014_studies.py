"""Reports of label quality checks."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.create_table(
        "studies",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("n_labels", sa.Integer(), nullable=False),
        sa.Column("curve", sa.JSON(), nullable=False),
        sa.Column("suspects", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["model_versions.id"]),
        sa.PrimaryKeyConstraint("job_id"),
    )


def downgrade() -> None:
    op.drop_table("studies")
