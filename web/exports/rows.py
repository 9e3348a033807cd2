"""The results of a job in the order of the upload, read in slices, each with its own session.

A client that reads slowly holds neither memory nor a transaction.
"""

from collections.abc import Iterable, Iterator

from core.jobs import results
from core.jobs.result_filter import ResultFilter
from core.jobs.results import ResultRow
from core.orm.jobs import Job
from web.http.context import Services

SLICE = 1000


def iterate_rows(services: Services, job: Job, wanted: ResultFilter | None = None) -> Iterator[ResultRow]:
    """All rows that match the filter; all rows of the job without one."""
    cursor: str | None = None
    while True:
        with services.db.read() as session:
            page = results.list_results(session, job, wanted or ResultFilter(), cursor, SLICE)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def in_blocks(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines joined into blocks of a size worth sending."""
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) == SLICE:
            yield "".join(waiting).encode("utf-8", "backslashreplace")
            waiting.clear()
    yield "".join(waiting).encode("utf-8", "backslashreplace")
