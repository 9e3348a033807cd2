"""Tokens name the token that made them."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("tokens", sa.Column("made_with", sa.Integer()))


def downgrade() -> None:
    op.drop_column("tokens", "made_with")
