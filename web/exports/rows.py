"""The results of a job in the order of the upload, read in slices, each with its own session.

A client that reads slowly holds neither memory nor a transaction.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from core.formats.shards import MAX_FILES
from core.jobs import results
from core.jobs.export_snapshot import ExportSnapshot, check_snapshot
from core.jobs.result_filter import ALL_RESULTS, ResultFilter
from core.jobs.results import ResultRow
from web.http.context import Services

SLICE = 1000
Item = TypeVar("Item")


def iterate_rows(
    services: Services, snapshot: ExportSnapshot, wanted: ResultFilter = ALL_RESULTS
) -> Iterator[ResultRow]:
    """All rows of a snapshot that match the filter.

    Raises:
        Conflict: The job was deleted, retried or changed in the meantime, so the rows do not belong together.
    """
    cursor: str | None = None
    while True:
        with services.db.read() as session:
            page = results.list_results(session, snapshot.job, wanted, cursor, SLICE)
        with services.db.read() as session:  # of its own: on SQLite, the first one does not see later changes
            check_snapshot(session, snapshot)
        shards = snapshot.shards
        yield from (row for row in page.items if shards is None or row.ordinal // MAX_FILES in shards)
        cursor = page.next
        if cursor is None:
            return


def check_at_end(services: Services, snapshot: ExportSnapshot, items: Iterable[Item]) -> Iterator[Item]:
    """The items; after the last one, the snapshot is checked again: their files were read later than their rows.

    Raises:
        Conflict: As for `iterate_rows`.
    """
    yield from items
    with services.db.read() as session:
        check_snapshot(session, snapshot)


def in_blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines joined into blocks of a size worth sending."""
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) == SLICE:
            yield "".join(waiting).encode("utf-8", "backslashreplace")
            waiting.clear()
    yield "".join(waiting).encode("utf-8", "backslashreplace")


def begin(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks without empty ones. The first one is made now, while an error can still become a status."""
    remaining = (block for block in blocks if block)
    first = next(remaining, b"")
    return _rest(first, remaining)


def _rest(first: bytes, remaining: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from remaining
