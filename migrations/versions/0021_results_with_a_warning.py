"""Find the few results that have a warning."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    has_warning = sa.text("warning IS NOT NULL")
    op.create_index(
        "ix_results_warning", "results", ["job_id", "image_id"], sqlite_where=has_warning, postgresql_where=has_warning
    )


def downgrade() -> None:
    op.drop_index("ix_results_warning", "results")
