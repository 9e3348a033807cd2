"""Keep with each result what was wrong with its file, and the number of the decoding rules."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("results", sa.Column("error_detail", sa.String()))
    op.add_column("results", sa.Column("warning", sa.String()))
    op.add_column("results", sa.Column("decoding", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    for column in ("decoding", "warning", "error_detail"):
        op.drop_column("results", column)
