"""Count retries of a job, so that an export notices one."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("jobs", sa.Column("n_retries", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("jobs", "n_retries")
