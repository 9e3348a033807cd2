"""Moving an installation into other servers: `pawsort move` and `pawsort restore`.

    begin: the target is marked ─► blobs ─► rows, table by table ─► both are compared ─► finish: the mark goes

While the mark exists, no program starts on the target (`migrations.run.check_schema`). Everything can be repeated: what
has been copied is found and only compared. Rows keep their ids, and blobs their keys.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Connection, Integer, Table, bindparam, func, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.accounts import audit_pruning
from core.base.database import Database
from core.base.errors import Conflict, Refused
from core.operations.workers import list_alive
from core.orm import tables as all_tables
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.review import LabelBatch
from core.orm.schedules import Schedule
from core.orm.uploads import Upload
from core.storage.blobs import THUMBNAILS, Blobs

MOVING = "moving-"  # in the place of the schema's revision, before the one that it will have
SLICE = 1000
AT_ONCE = 4  # blobs; each is a shard of at most 32 MiB, or one large file
USED_BY = (Upload, Job, Label, LabelBatch, Schedule)
MASK = (1 << 256) - 1
SEQUENCE = text("SELECT pg_get_serial_sequence(:name, 'id')")
LAST_GIVEN = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id')::regclass)")


@dataclass(frozen=True)
class Digest:
    """How many rows, and a digest that does not depend on their order."""

    n: int
    value: int


def tables() -> list[Table]:
    """Every table, those that others point at first."""
    return all_tables.metadata.sorted_tables


def begin(target: Database, head: str, alive_s: float, replaces: bool = False) -> bool:
    """Empty a target that is not in use, and mark it; or find the mark of an interrupted earlier call.

    Args:
        head: The revision of the schema that source and target have.
        alive_s: How long after its last heartbeat a worker counts as alive (`Settings.alive_s`).
        replaces: Empty a target that is in use, too.
    Returns:
        Whether an earlier call is continued.
    Raises:
        Conflict: The target holds work of its own, or programs run on it.
        Refused: An earlier call was made by another version of this program.
    """
    with target.write() as session:
        connection = session.connection()
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        if revision == MOVING + head:
            return True
        if revision != head:
            raise Refused(
                f"A move or restore into this database was started by another version ({revision}). Use that version."
            )
        used = find_used(session)
        if used and not replaces:
            raise Conflict(
                f"The database at PAWSORT_DATABASE_URL is in use already ({', '.join(used)}). Use a new database."
            )
        if list_alive(session, alive_s):
            raise Conflict("Workers run on the database at PAWSORT_DATABASE_URL. Stop web and workers there first.")
        with audit_pruning.deleting(session):  # tokens and the audit log of a new installation
            _empty(connection)
        _mark(connection, MOVING + head)
    return False


def find_used(session: Session) -> list[str]:
    """The tables that show that an installation was used: a new one has versions and tokens alone."""
    return [kind.__tablename__ for kind in USED_BY if session.scalar(select(kind.id).limit(1)) is not None]


def _empty(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"TRUNCATE {', '.join(table.name for table in tables())}"))
        return
    for table in reversed(tables()):
        connection.execute(table.delete())


def copy_blobs(source: Blobs, target: Blobs, say: Callable[[int, int], object]) -> tuple[int, int]:
    """Copy every blob but kept thumbnails and read it again from the target; what is there is only compared.

    Args:
        say: Gets the number of blobs and of bytes so far.
    Returns:
        How many blobs and bytes there are.
    Raises:
        Conflict: The target gives back other bytes than it was given.
    """
    there = {key for key, _ in target.list("")}
    n, n_bytes = 0, 0
    keys = (key for key, _ in source.list("") if not key.startswith(THUMBNAILS))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(keys, AT_ONCE * 4)):  # not all at once: results of a pool wait in memory
            for size in pool.map(lambda key: _copy_blob(source, target, key, key in there), some):
                n, n_bytes = n + 1, n_bytes + size
            say(n, n_bytes)
    return n, n_bytes


def _copy_blob(source: Blobs, target: Blobs, key: str, is_there: bool) -> int:
    data = source.get(key)
    wanted = hashlib.sha256(data).digest()
    if not is_there or hashlib.sha256(target.get(key)).digest() != wanted:
        target.put(key, bytes(data))
        if hashlib.sha256(target.get(key)).digest() != wanted:
            raise Conflict(f"The blob store returned other bytes for {key} than it was given. Check the store.")
    return len(data)


def copy_tables(
    source: Connection,
    target: Database,
    head: str,
    on_copied: Callable[[str, int], object] = lambda name, n_rows: None,
    on_finish: Callable[[Session], object] = lambda session: None,
) -> None:
    """Copy all rows into a target that is marked, compare them, and take the mark away.

    Args:
        head: The revision of both schemas.
        on_copied: Gets the name of each table and how many rows it has.
        on_finish: Writes into the target what belongs to its end, in the transaction that takes the mark away.
    Raises:
        Conflict: The rows differ in the end.
    """
    for table in tables():
        on_copied(table.name, copy_rows(source, target, table))
    for table in tables():
        compare(source, target, table)
    finish(source, target, head, on_finish)


def copy_rows(source: Connection, target: Database, table: Table) -> int:
    """Copy a table in slices, each in a transaction of its own; rows that are there stay. Returns how many it has."""
    n_rows = source.execute(select(func.count()).select_from(table)).scalar_one()
    with target.engine.connect() as connection:
        if connection.execute(select(func.count()).select_from(table)).scalar_one() == n_rows:
            return n_rows
    for rows in _slices(source, table):
        with target.write() as session:
            session.execute(_insert(session.connection(), table), rows)
    return n_rows


def _insert(connection: Connection, table: Table) -> Any:
    # None is no value at all: what JSON calls null reads the same.
    types = {
        column.name: JSON(none_as_null=True) if isinstance(column.type, JSON) else column.type for column in table.c
    }
    values = {name: bindparam(name, type_=kind) for name, kind in types.items()}
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).values(values).on_conflict_do_nothing()
    return insert(table).values(values).prefix_with("OR IGNORE")


def _slices(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    # In the order of the key: rows of some tables point at earlier ones of their own.
    rows = connection.execute(select(table).order_by(*table.primary_key.columns).execution_options(yield_per=SLICE))
    for part in rows.mappings().partitions(SLICE):
        yield [dict(row) for row in part]


def digest_rows(connection: Connection, table: Table) -> Digest:
    """Read a table whole."""
    n, total = 0, 0
    for rows in _slices(connection, table):
        for row in rows:
            written = json.dumps([_plain(row[column.name]) for column in table.columns], sort_keys=True)
            total = (total + int.from_bytes(hashlib.sha256(written.encode()).digest())) & MASK
        n += len(rows)
    return Digest(n, total)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (dict, list, int, float, str, type(None))) else str(value)


def compare(source: Connection, target: Database, table: Table) -> None:
    """See that both have the same rows.

    Raises:
        Conflict: They have not.
    """
    wanted = digest_rows(source, table)
    with target.engine.connect() as connection:
        found = digest_rows(connection, table)
    if wanted != found:
        raise Conflict(
            f"Table {table.name}: expected {wanted.n:,} rows as they are here, found {found.n:,} there that differ."
            " Empty the database at PAWSORT_DATABASE_URL (or make a new one), and move again."
        )


def finish(source: Connection, target: Database, head: str, on_finish: Callable[[Session], object]) -> None:
    """Let new rows get ids that were never used, and take the mark away."""
    used = _used_ids(source)
    with target.write() as session:
        connection = session.connection()
        set_used = _set_sequence if connection.dialect.name == "postgresql" else _set_autoincrement
        for name, last in used.items():
            if last > 0:
                set_used(connection, name, last)
        on_finish(session)
        _mark(connection, head)


def _set_sequence(connection: Connection, table: str, last: int) -> None:
    found = connection.execute(SEQUENCE, {"name": table}).scalar()
    if found is not None:
        connection.execute(text("SELECT setval(:found, :last)"), {"found": found, "last": last})


def _set_autoincrement(connection: Connection, table: str, last: int) -> None:
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
    connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), {"name": table, "last": last})


def _used_ids(connection: Connection) -> dict[str, int]:
    """The largest id that each table has ever had: those of deleted rows count, too."""
    numbered = [table for table in tables() if "id" in table.c and isinstance(table.c.id.type.as_generic(), Integer)]
    largest = {
        table.name: connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        for table in numbered
    }
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        given = {row.name: row.seq for row in rows}
    else:
        given = {name: connection.execute(LAST_GIVEN, {"name": name}).scalar() or 0 for name in largest}
    return {name: max(last, given.get(name, 0)) for name, last in largest.items()}


def _mark(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
