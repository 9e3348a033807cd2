"""The list of jobs in several orders, page by page."""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, select, tuple_
from sqlalchemy.orm import Session

from core.base.paging import Page, decode_cursor, encode_cursor, page_newest_first
from core.base.states import JobState
from core.jobs.listing.job_filter import EVERY_JOB, JobFilter
from core.orm.jobs import Job
from core.orm.models import ModelVersion


class JobSort(StrEnum):
    """An order of the list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    PICTURES = "pictures"
    STATE = "state"


class _Order(NamedTuple):
    """What is compared before the number of a job, its type in a cursor, and the direction of both."""

    key: ColumnElement[str] | ColumnElement[int]
    type: type
    is_descending: bool


_RANKS = {  # what runs comes first, then what needs attention
    JobState.RECEIVING: 0,
    JobState.RUNNING: 0,
    JobState.QUEUED: 1,
    JobState.FAILED: 2,
    JobState.CANCELLED: 3,
    JobState.DONE: 4,
}
_ORDERS = {
    JobSort.OLDEST: _Order(Job.id + 0, int, False),
    JobSort.NAME: _Order(func.lower(Job.name), str, False),
    JobSort.PICTURES: _Order(Job.n_total + 0, int, True),
    JobSort.STATE: _Order(-case(_RANKS, value=Job.state, else_=len(_RANKS)), int, True),
}


def list_jobs(
    session: Session,
    cursor: str | None = None,
    limit: int = 100,
    wanted: JobFilter = EVERY_JOB,
    sort: JobSort = JobSort.NEWEST,
) -> Page[Job]:
    """One page of the jobs that match a filter.

    Raises:
        OutdatedCursor: The cursor belongs to another list or order.
    """
    query = select(Job).where(Job.deleted_at.is_(None), *wanted.conditions())
    if sort == JobSort.NEWEST:
        return page_newest_first(session, query, Job.id, cursor, limit)
    return _page(session, query, _ORDERS[sort], cursor, limit)


def _page(session: Session, query: Select[Job], order: _Order, cursor: str | None, limit: int) -> Page[Job]:
    both = tuple_(order.key, Job.id)
    if cursor:
        last = decode_cursor(cursor, order.type, int)
        query = query.where(both < last if order.is_descending else both > last)
    by = (order.key.desc(), Job.id.desc()) if order.is_descending else (order.key, Job.id)
    rows = session.execute(query.add_columns(order.key.label("key")).order_by(*by).limit(limit + 1)).all()
    following = encode_cursor(rows[limit - 1].key, rows[limit - 1].Job.id) if len(rows) > limit else None
    return Page([row.Job for row in rows[:limit]], following)


def list_models(session: Session) -> list[ModelVersion]:
    """The versions that any listed job used or produced, newest first."""
    used = select(Job.model_version_id).where(Job.deleted_at.is_(None))
    return list(session.scalars(select(ModelVersion).where(ModelVersion.id.in_(used)).order_by(ModelVersion.id.desc())))
