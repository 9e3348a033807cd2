"""Sessions for SQLite and PostgreSQL: `read()` only reads, `write()` changes and commits."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Delete,
    Engine,
    Select,
    Update,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoResultFound, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.base.errors import ConfigError, Refused, Unavailable

BUSY_TIMEOUT_S = 30
CONNECT_TIMEOUT_S = 5
# A connection that has gone silent (a firewall that forgot it, a failover) is noticed within half a minute.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
UNACKNOWLEDGED_MS = 30_000
# On PostgreSQL both are defaults of our role in our database, set by `pawsort migrate`: a pooler that hands connections
# from one program to the next (PgBouncer) refuses them as options and would leak them as SET.
LOCK_TIMEOUT_S = 30
STATEMENT_TIMEOUT_S = 120
IDLE_TIMEOUT_S = 60
IN_ONE_STATEMENT = 500  # values that an IN names

REFUSALS = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", 'role "', 'database "')
TOO_MANY = "too many connections"
DISK_IS_FULL = "database or disk is full"
READ_ONLY = "25006"  # of PostgreSQL: a standby, or a server that ran out of disk space
NO_TLS = ("does not support SSL", "certificate", "sslmode")
NO_TABLES = ("no such table", "alembic_version")
NO_TABLES_SENTENCE = "PAWSORT_DATABASE_URL: the database has no tables yet. Run `pawsort migrate` first."

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
Item = TypeVar("Item")


class Database:
    """One engine and its sessions; put together once for each process.

    SQLite runs in WAL mode, and writers begin with BEGIN IMMEDIATE: a deferred transaction that reads and then writes
    would get BUSY at once, despite the timeout.
    """

    def __init__(self, url: str, pool_size: int = 16) -> None:
        try:
            self.engine = _create_engine(url, pool_size)
        except (ArgumentError, ImportError, ValueError) as error:
            raise ConfigError(
                f"PAWSORT_DATABASE_URL: expected sqlite:///file or postgresql://user@host/name; {error}"
            ) from error
        self._writer = self.engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed at the end, or all undone by an error."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def ping(self) -> str:
        """Ask the database which schema it has; returns its revision.

        Raises:
            Refused: It does not let us in, or has no tables yet.
            Unavailable: It does not answer.
        """
        try:
            with self.read() as session:
                revision: str = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        except SQLAlchemyError as error:
            raise refusal(error) from error
        return revision

    def close(self) -> None:
        """Close every connection of the pool."""
        self.engine.dispose()


def refusal(error: SQLAlchemyError) -> Unavailable:
    """What a database's error means for an operator: a setting to correct, or a server to wait for."""
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if TOO_MANY not in reason and any(words in reason for words in REFUSALS):
        return Refused(f"PAWSORT_DATABASE_URL: the server refuses user, password or database ({reason}). Correct it.")
    if any(words in reason for words in NO_TLS):
        return Refused(
            f"PAWSORT_DATABASE_URL: the server offers no TLS as the address asks for ({reason}). Correct its sslmode."
        )
    if isinstance(error, NoResultFound) or any(words in reason for words in NO_TABLES):
        return Refused(NO_TABLES_SENTENCE)
    return Unavailable(
        f"The database at PAWSORT_DATABASE_URL does not answer ({reason}). Start it, or correct the address."
    )


def is_full(error: SQLAlchemyError) -> bool:
    """Whether the disk of an SQLite database has no room."""
    return DISK_IS_FULL in str(getattr(error, "orig", None))


def is_read_only(error: SQLAlchemyError) -> bool:
    """Whether a PostgreSQL server accepts no writes at the moment."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == READ_ONLY


def change(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE as it is and say how many rows it matched; loaded objects are not touched."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount


def insert_or(session: Session, table: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say ON CONFLICT, in the words of the database."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if is_postgresql else sqlite.insert(table)


class WithoutIndex(FunctionElement[Any]):
    """A column that SQLite looks up in no index; see `without_index`."""

    inherit_cache = True


def without_index(column: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """A column in a condition that most rows meet: SQLite, which keeps no statistics, would choose its index.

    Source: sqlite.org/optoverview.html, "Disqualifying WHERE clause terms using unary +".
    """
    return WithoutIndex(column)


@compiles(WithoutIndex)
def _as_it_is(element: WithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(WithoutIndex, "sqlite")
def _with_plus(element: WithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


def slices(items: Iterable[Item], size: int = IN_ONE_STATEMENT) -> Iterator[list[Item]]:
    """Items in lists that fit into one statement."""
    listed = list(items)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def locked(query: Query) -> Query:
    """The query, its rows locked until the transaction ends and read as they are then, even if they were loaded before.

    FOR NO KEY UPDATE, since keys never change: a plain FOR UPDATE of an upload would deadlock with a process that
    writes one of its jobs twice in a transaction (PostgreSQL then checks the foreign key, which locks the upload).
    """
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


def shared(query: Query) -> Query:
    """The query, its rows kept from those who want them `locked`, until the transaction ends; others may share them."""
    return query.with_for_update(read=True).execution_options(populate_existing=True)


def _create_engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        # Prepared statements belong to one connection of the server, which a pooler gives to others in between.
        connect_args = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "prepare_threshold": None,
            "tcp_user_timeout": UNACKNOWLEDGED_MS,
            **KEEPALIVE,
        }
        engine = create_engine(url, pool_size=pool_size, max_overflow=4, pool_pre_ping=True, connect_args=connect_args)
        # Many rows go in one INSERT of many rows; psycopg's executemany would send one statement for each of them.
        engine.dialect.use_insertmanyvalues_wo_returning = True
        return engine
    engine = create_engine(url, pool_size=pool_size, max_overflow=4, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
