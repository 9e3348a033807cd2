"""Paused jobs and queues, priorities, and pauses between attempts."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("jobs", sa.Column("is_paused", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("jobs", sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    op.add_column("trainings", sa.Column("ready_at", Instant()))
    op.add_column("trainings", sa.Column("furthest", sa.Integer(), server_default="0", nullable=False))
    op.add_column("schedule_runs", sa.Column("ready_at", Instant()))
    op.add_column("schedule_runs", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "paused_queues",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_paused_queues_user_id_users"),
        sa.PrimaryKeyConstraint("name", name="pk_paused_queues"),
    )


def downgrade() -> None:
    op.drop_table("paused_queues")
    op.drop_column("schedule_runs", "attempts")
    op.drop_column("schedule_runs", "ready_at")
    op.drop_column("trainings", "furthest")
    op.drop_column("trainings", "ready_at")
    op.drop_column("jobs", "priority")
    op.drop_column("jobs", "is_paused")
