"""The dataset of a training when it was created, the time left in its phase, and files known to be unreadable."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("images", sa.Column("error_code", sa.String(), nullable=True))
    op.add_column("trainings", sa.Column("found", sa.JSON(), nullable=True))
    op.add_column("trainings", sa.Column("phase_left_s", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("trainings", "phase_left_s")
    op.drop_column("trainings", "found")
    op.drop_column("images", "error_code")
