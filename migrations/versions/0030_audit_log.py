"""The audit log, which can only be appended to."""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant
from core.orm.base import BigKey

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
runs_beside_old_workers = True

# REPLACE deletes rows without the trigger of DELETE.
SQLITE_TRIGGERS = """
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
"""


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("credential_id", sa.Integer()),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at", "id"])
    op.create_index("ix_audit_log_user", "audit_log", ["user_name", "at", "id"])
    op.create_index("ix_audit_log_action", "audit_log", ["action", "at", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for trigger in SQLITE_TRIGGERS.strip().split("END;")[:-1]:
            op.get_bind().exec_driver_sql(f"{trigger.strip()} END")


def downgrade() -> None:
    op.drop_table("audit_log")
