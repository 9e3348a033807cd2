"""The time that a job was worked on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("jobs", sa.Column("active_s", sa.Double(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("jobs", "active_s")
