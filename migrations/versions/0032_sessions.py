"""Sessions of browsers, one-time login codes, and an end, scopes and the last use of tokens.

Tokens that exist keep working without an end. Browsers have to log in again.
"""

import sqlalchemy as sa
from alembic import op

from core.base.clock import Instant

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    for column in (
        sa.Column("scopes", sa.String()),
        sa.Column("expires_at", Instant()),
        sa.Column("last_used_at", Instant()),
    ):
        op.add_column("tokens", column)
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer()),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("idle_s", sa.Integer()),
        sa.Column("ended_at", Instant()),
        sa.Column("address", sa.String()),
        sa.Column("agent", sa.String()),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_sessions_token_id_tokens"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("digest", name="uq_sessions_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "login_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_login_codes_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_login_codes"),
        sa.UniqueConstraint("digest", name="uq_login_codes_digest"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("login_codes")
    op.drop_table("sessions")
    op.drop_index("ix_tokens_user_id", "tokens")
    for name in ("scopes", "expires_at", "last_used_at"):
        op.drop_column("tokens", name)
