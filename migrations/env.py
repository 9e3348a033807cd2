"""Alembic's entry: runs the migrations on the connection that `migrations.run` hands over."""

from alembic import context

from core.orm.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
