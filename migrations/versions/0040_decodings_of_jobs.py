"""A job notes the numbers of the rules by which its files became pixels: an export need not look at all results.

Jobs that exist have NULL: their numbers are found in their results.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("jobs", sa.Column("lowest_decoding", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("highest_decoding", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "highest_decoding")
    op.drop_column("jobs", "lowest_decoding")
