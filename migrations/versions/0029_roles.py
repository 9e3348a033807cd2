"""Roles of people, and people who are disabled.

The owner becomes admin. Everybody else becomes member: they keep what they made and can send and label as before, but
change others' work, models and schedules no longer. All of them see a notice until they dismiss it.
"""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    op.add_column("users", sa.Column("role", sa.String(), server_default="member", nullable=False))
    op.add_column("users", sa.Column("has_role_notice", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("users", sa.Column("disabled_at", Instant()))
    op.execute("UPDATE users SET role = 'admin' WHERE name = 'owner'")
    op.execute(sa.text("UPDATE users SET has_role_notice = :yes").bindparams(sa.bindparam("yes", True, sa.Boolean())))


def downgrade() -> None:
    op.drop_column("users", "disabled_at")
    op.drop_column("users", "has_role_notice")
    op.drop_column("users", "role")
