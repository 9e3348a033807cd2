"""Alembic's entry: runs on the connection that `migrations.run` hands over, or that of the settings (`alembic ...`)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from core.base.config import load_settings
from core.base.database import Database
from core.orm.tables import metadata


@contextmanager
def _connection() -> Iterator[Connection]:
    given = context.config.attributes.get("connection")
    if given is not None:
        yield given
        return
    db = Database(load_settings().sql_url, pool_size=1)
    with db.engine.execution_options(writes=True).begin() as connection:
        yield connection
    db.close()


def _number(migration: MigrationContext, revision: str | Iterable[Any], directives: list[MigrationScript]) -> None:
    """Give a new revision the next number; write none when nothing has changed."""
    if not directives:
        return
    (script,) = directives
    is_generated = getattr(context.config.cmd_opts, "autogenerate", False)
    if is_generated and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives.clear()
        return
    head = ScriptDirectory.from_config(context.config).get_current_head()
    script.rev_id = f"{int(head or 0) + 1:04}"


with _connection() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        user_module_prefix="",  # script.py.mako imports our types by name
        process_revision_directives=_number,
    )
    with context.begin_transaction():
        context.run_migrations()
