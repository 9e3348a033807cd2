"""Sessions for SQLite and PostgreSQL: `read()` only reads, `write()` changes and commits."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Delete,
    Engine,
    Select,
    Update,
    create_engine,
    text,
)
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import ArgumentError, InternalError, NoResultFound, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from core.base.connections import sqlite
from core.base.errors import ConfigError, DiskFull, Refused, Unavailable

# On PostgreSQL both are defaults of our role in our database, set by `pawsort migrate`: a pooler that hands connections
# from one program to the next (PgBouncer) refuses them as options and would leak them as SET.
LOCK_TIMEOUT_S = 30
STATEMENT_TIMEOUT_S = 120
IDLE_TIMEOUT_S = 60
IN_ONE_STATEMENT = 500  # values that an IN names

REFUSALS = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", 'role "', 'database "')
TOO_MANY = "too many connections"
DISK_IS_FULL = "database or disk is full"
CANCELLED = "57014"  # of PostgreSQL: a statement that took too long
LIMITS = "54"  # of PostgreSQL: the class of errors about values that are too large
NO_ROOM = "53100"  # of PostgreSQL
READ_ONLY = "25006"  # of PostgreSQL: a standby, or a server that ran out of disk space
NO_TLS = ("does not support SSL", "certificate", "sslmode")
NO_TABLES = ("no such table", 'relation "alembic_version"')
NO_TABLES_SENTENCE = "PAWSORT_DATABASE_URL: the database has no tables yet. Run `pawsort migrate` first."

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
Item = TypeVar("Item")


class Database:
    """One engine and its sessions; put together once for each process.

    SQLite runs in WAL mode, and writers begin with BEGIN IMMEDIATE: a deferred transaction that reads and then writes
    would get BUSY at once, despite the timeout.
    """

    def __init__(self, url: str, pool_size: int = 16, answer_s: float | None = None) -> None:
        """
        Args:
            answer_s: How long a server may be silent before its connection is closed; None: the usual time.
        """
        try:
            self.engine = _create_engine(url, pool_size, answer_s)
        except (ArgumentError, ImportError, ValueError) as error:
            raise ConfigError(
                f"PAWSORT_DATABASE_URL: expected sqlite:///file or postgresql://user@host/name; {error}"
            ) from error
        self._writer = self.engine.execution_options(writes=True)
        path = self.engine.url.database if self.engine.dialect.name == "sqlite" else None
        self._reserve = sqlite.DiskReserve(Path(path)) if path else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, *, deletes: bool = False) -> Iterator[Session]:
        """A session whose changes are committed at the end, or all undone by an error.

        Args:
            deletes: They free space, so they may use what `keep_reserve` keeps when the disk is full.
        """
        if deletes and self._reserve is not None:
            self._reserve.use_if_full()
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

    def check_writable(self) -> None:
        """Change nothing, but write it.

        Raises:
            DiskFull: The disk of the database is full.
            Unavailable: It only reads at the moment, as a standby does.
        """
        try:
            with self.write() as session:
                session.execute(text("UPDATE users SET name = name WHERE id = (SELECT min(id) FROM users)"))
        except SQLAlchemyError as error:
            if is_full(error):
                raise DiskFull("The disk of the database is full. Delete jobs, or free disk space.") from error
            if is_read_only(error):
                raise Unavailable(
                    "The database at PAWSORT_DATABASE_URL only reads: it is a standby, or short of disk space. Point"
                    " the setting at the primary server, or free disk space there."
                ) from error
            raise refusal(error) from error

    def keep_reserve(self) -> None:
        """Keep some room on the disk of an SQLite database, for deleting when the disk is full."""
        if self._reserve is not None:
            self._reserve.keep()

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


def is_away(error: Exception) -> bool:
    """Whether the database did not answer, or takes no changes at the moment: the same may go through later."""
    if isinstance(error, PoolTimeout):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    if isinstance(error, InternalError):
        return state == READ_ONLY
    return isinstance(error, OperationalError) and state != CANCELLED and not state.startswith(LIMITS)


def is_full(error: SQLAlchemyError) -> bool:
    """Whether the disk of a database has no room."""
    cause = getattr(error, "orig", None)
    return DISK_IS_FULL in str(cause) or getattr(cause, "sqlstate", None) == NO_ROOM


def is_read_only(error: SQLAlchemyError) -> bool:
    """Whether a PostgreSQL server accepts no writes at the moment."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == READ_ONLY


def change(session: Session, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE as it is and say how many rows it matched; loaded objects are not touched."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount


def insert_or(session: Session, table: type[Any]) -> PostgresqlInsert | SqliteInsert:
    """An INSERT that can say ON CONFLICT, in the words of the database."""
    return postgresql_insert(table) if is_postgresql(session) else sqlite_insert(table)


def is_postgresql(session: Session) -> bool:
    """Whether the database is PostgreSQL, and not SQLite."""
    return session.get_bind().dialect.name == "postgresql"


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


def _create_engine(url: str, pool_size: int, answer_s: float | None) -> Engine:
    if not url.startswith("sqlite"):
        from core.base.connections import postgresql  # its driver takes a while to import

        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged, and secrets are parameters
            connect_args=dict(postgresql.CONNECT_ARGS),
        )
        # Many rows go in one INSERT of many rows; psycopg's executemany would send one statement for each of them.
        engine.dialect.use_insertmanyvalues_wo_returning = True
        postgresql.use_answered_connections(engine, answer_s or postgresql.ANSWER_S)
        return engine
    timeout = {"timeout": sqlite.BUSY_TIMEOUT_S}
    engine = create_engine(url, pool_size=pool_size, max_overflow=4, hide_parameters=True, connect_args=timeout)
    sqlite.set_up(engine)
    return engine
