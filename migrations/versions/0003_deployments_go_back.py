"""Deployments know what rolling back from them puts back."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
runs_beside_old_workers = True


def upgrade() -> None:
    # In words of its own: SQLite adds such a column at once, Alembic would copy the table.
    op.execute("ALTER TABLE deployments ADD COLUMN previous_id INTEGER REFERENCES deployments (id)")
    # Nothing could be promoted before, but lines that exist follow each other.
    op.execute(
        "UPDATE deployments SET previous_id ="
        " (SELECT max(earlier.id) FROM deployments AS earlier WHERE earlier.id < deployments.id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("deployments", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("previous_id")
