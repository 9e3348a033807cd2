"""A snapshot of a database: an SQLite file with all rows as they are at one moment, while others go on writing.

SQLite copies its file. From PostgreSQL the rows are read in one transaction and compared with what was written, so that
one kind of file holds every backup, and an installation can be restored on either.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, func, select, text

from core.base.database import Database
from core.operations import relocation
from core.orm import tables


def write_snapshot(db: Database, path: Path) -> None:
    """Write a snapshot into a new file.

    Raises:
        Conflict: The copied rows differ from the database's.
    """
    path.unlink(missing_ok=True)
    if db.engine.dialect.name == "sqlite":
        _copy_file(str(db.engine.url.database), path)
    else:
        _copy_rows(db, path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode=DELETE")  # one file, without a log next to it


def _copy_file(source: str, path: Path) -> None:
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(path)) as writing:
        reading.backup(writing)  # in one step: writers append to the log meanwhile


def _copy_rows(db: Database, path: Path) -> None:
    snapshot = open_snapshot(path)
    try:
        with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reading:
            revision = reading.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            _create_tables(snapshot, revision)
            relocation.copy_tables(reading, snapshot, revision)
    finally:
        snapshot.close()


def _create_tables(snapshot: Database, revision: str) -> None:
    with snapshot.write() as session:
        connection = session.connection()
        tables.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def open_snapshot(path: Path) -> Database:
    """A snapshot as a database."""
    return Database(f"sqlite:///{path}", pool_size=1)


def count_rows(snapshot: Database) -> dict[str, int]:
    """How many rows each table of a snapshot has."""
    with snapshot.engine.connect() as connection:
        return {table.name: _count(connection, table) for table in relocation.tables()}


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
