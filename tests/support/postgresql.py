"""Databases of one PostgreSQL server, each as the migrations leave it.

Creating a database costs checkpoints and a thousand files, so a used one is emptied and reused. It is renamed first, so
that a process left over from the last test cannot find it. If a test changed more than rows, the database is dropped.
Deleting the few rows of a usual test is cheaper than TRUNCATE, which gives each table and index a new file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import create_engine, text

from core.base.database import Database
from migrations.run import migrate
from tests.support.waiting import until

TEMPLATE = "template_pawsort"
OFF = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")  # nothing here has to last
CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
TABLES = """
SELECT array_agg(quote_ident(relname)) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname != 'alembic_version'
"""
SCHEMA = """
SELECT md5(string_agg(concat_ws(' ', relname, relkind, relnatts, relchecks), ',' ORDER BY relname)),
  (SELECT version_num FROM alembic_version)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""
MAX_USED_BYTES = 4 * 2**20  # of the tables with rows; more, and deleted rows would slow down the tests that follow
RESTART = "SELECT setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value > 0"
BESIDE_ROWS = """
SELECT EXISTS(SELECT FROM pg_statistic WHERE starelid >= 16384) OR EXISTS(
  SELECT FROM pg_db_role_setting
  WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""


class Databases:
    """Lends databases of one server to tests.

    Args:
        url: The address of the server's own database, `postgres`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._admin = psycopg.connect(url, autocommit=True)
        self._free: list[str] = []
        for setting in OFF:
            self._admin.execute(f"ALTER SYSTEM SET {setting} = off")
        self._admin.execute("SELECT pg_reload_conf()")
        self._admin.execute(f"CREATE DATABASE {TEMPLATE}")
        template = Database(self._address(TEMPLATE))
        migrate(template)
        template.close()
        with psycopg.connect(self._address(TEMPLATE)) as connection:
            self._schema = connection.execute(SCHEMA).fetchone()
            (self._tables,) = connection.execute(TABLES).fetchone() or ([],)
            rows = " OR ".join(f"EXISTS(SELECT FROM {table})" for table in self._tables)
            assert connection.execute(f"SELECT {rows}").fetchone() == (False,), "migrations insert rows"

    @contextmanager
    def one(self) -> Iterator[str]:
        """The address of a migrated, empty database for one test."""
        name = self._free.pop() if self._free else self._make()
        yield self._address(name)
        with suppress(psycopg.Error):  # a leftover process has reconnected, or the schema is gone: drop it
            until(lambda: not self._admin.execute(CUT_OFF, (name,)).fetchall())
            renamed = _new_name()
            self._admin.execute(f"ALTER DATABASE {name} RENAME TO {renamed}")
            name = renamed
            if self._empty(name):
                self._free.append(name)
                return
        self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Disconnect from the server."""
        self._admin.close()

    def _make(self) -> str:
        name = _new_name()
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        return name

    def _empty(self, name: str) -> bool:
        """Delete all rows; False if more than rows has changed."""
        with psycopg.connect(self._address(name), autocommit=True) as connection:
            if connection.execute(SCHEMA).fetchone() != self._schema:
                return False
            if connection.execute(BESIDE_ROWS).fetchone() != (False,):
                return False
            self._delete_rows(connection)
        return True

    def _delete_rows(self, connection: psycopg.Connection[Any]) -> None:
        each = (
            f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS(SELECT FROM {table})" for table in self._tables
        )
        used = dict(connection.execute(" UNION ALL ".join(each)).fetchall())
        if sum(used.values()) > MAX_USED_BYTES:
            connection.execute(f"TRUNCATE {', '.join(self._tables)} RESTART IDENTITY")
            return
        without_triggers = "SET session_replication_role = replica"
        connection.execute("; ".join([without_triggers, *(f"DELETE FROM {table}" for table in used), RESTART]))

    def _address(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?", 1)


def cut_connections(sql_url: str) -> int:
    """End every other connection to this database, as a restart of the server does. Returns how many there were."""
    engine = create_engine(sql_url, isolation_level="AUTOCOMMIT")
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        n_cut: int = connection.execute(text(f"SELECT count(pg_terminate_backend(pid)) {others}")).scalar_one()
    engine.dispose()
    return n_cut


def _new_name() -> str:
    return f"test_{os.urandom(6).hex()}"


@contextmanager
def only_reading(database: Database) -> Iterator[None]:
    """A database as it is on a standby, for connections from now on."""
    name = database.engine.url.database
    with database.engine.connect() as kept:  # may write
        kept.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        kept.commit()
        try:
            yield
        finally:
            kept.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
            kept.commit()
