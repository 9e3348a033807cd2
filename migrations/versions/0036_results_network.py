"""Results name the network that answered, if that is not the one of the version."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("results", sa.Column("network", sa.String()))


def downgrade() -> None:
    op.drop_column("results", "network")
