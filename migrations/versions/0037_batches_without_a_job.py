"""Batches of labels need no job: those of lists name pictures of any upload."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    with op.batch_alter_table("label_batches", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("job_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    op.execute(
        "UPDATE labels SET batch_id = NULL WHERE batch_id IN (SELECT id FROM label_batches WHERE job_id IS NULL)"
    )
    op.execute("DELETE FROM label_batches WHERE job_id IS NULL")
    with op.batch_alter_table("label_batches", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("job_id", existing_type=sa.Integer(), nullable=False)
