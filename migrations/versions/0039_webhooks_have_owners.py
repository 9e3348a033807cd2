"""Every webhook belongs to a person, those for everybody's events too: they stop when that person may not have them."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None
runs_beside_old_workers = True

TABLE_KWARGS = {"sqlite_autoincrement": True}
OWNER = (
    "SELECT id FROM users ORDER BY CASE WHEN name = 'owner' THEN 0 WHEN role = 'admin' THEN 1 ELSE 2 END, id LIMIT 1"
)


def upgrade() -> None:
    everybody: sa.Column[bool] = sa.Column("is_for_everybody", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("webhook_endpoints", everybody)
    yes = sa.bindparam("yes", True, sa.Boolean())
    marked = f"UPDATE webhook_endpoints SET is_for_everybody = :yes, user_id = ({OWNER}) WHERE user_id IS NULL"  # noqa: S608
    op.execute(sa.text(marked).bindparams(yes))
    with op.batch_alter_table("webhook_endpoints", table_kwargs=TABLE_KWARGS) as table:
        table.alter_column("user_id", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("webhook_endpoints", table_kwargs=TABLE_KWARGS) as table:
        table.alter_column("user_id", existing_type=sa.Integer(), nullable=True)
    op.execute("UPDATE webhook_endpoints SET user_id = NULL WHERE is_for_everybody")
    op.drop_column("webhook_endpoints", "is_for_everybody")
