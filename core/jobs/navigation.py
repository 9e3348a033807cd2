"""Navigation in a job's results: where pages begin, the neighbours of an image, and counts."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from core.base.errors import ErrorCode, NotFound
from core.base.network_catalog import CLASSES
from core.base.paging import encode_cursor
from core.jobs import results
from core.jobs.confidence import MILLION, UNSURE
from core.jobs.result_filter import ALL_RESULTS, Order, ResultFilter, conditions, gives_neither, order_of
from core.labels.labels import human_label_of
from core.orm.jobs import Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image


@dataclass(frozen=True)
class PageCursors:
    """How many results a view has, and the cursors of its pages: the first page needs none."""

    n: int
    cursors: list[str]


@dataclass(frozen=True)
class Neighbours:
    """The images before and after one in a view; None at its ends."""

    before: int | None
    after: int | None


def find_page_cursors(session: Session, job: Job, wanted: ResultFilter, every: int) -> PageCursors:
    """The cursor of each page of a view, so that any of them can be opened directly.

    Reads every key of the view once: for a person who opens a page, not for a poll.

    Args:
        every: Results on each page.
    Raises:
        Invalid: A filter has a value that does not exist.
    """
    order = order_of(wanted.sort)
    number = func.row_number().over(order_by=order.by).label("number")
    n_all = func.count().over().label("n_all")
    keys = select(*(column.label(f"key_{index}") for index, column in enumerate(order.columns)), number, n_all)
    rows = _narrowed(session, keys, job, wanted, order).subquery()
    is_mark = (rows.c.number % every == 0) | (rows.c.number == rows.c.n_all)
    marks = session.execute(select(rows).where(is_mark).order_by(rows.c.number)).all()
    return PageCursors(marks[-1].n_all if marks else 0, [encode_cursor(*row[:-2]) for row in marks[:-1]])


def count_results(session: Session, job: Job, wanted: ResultFilter) -> int:
    """How many results a filter lets through. Reads them all once, like `find_page_cursors`."""
    order = order_of(wanted.sort)
    keys = _narrowed(session, select(order.columns[-1]), job, wanted, order)
    return session.scalars(select(func.count()).select_from(keys.subquery())).one()


def has_similarity_keys(session: Session, job: Job) -> bool:
    """Whether similar pictures can be shown together: results of early versions have no similarity key."""
    noted = select(Result.image_id).where(Result.job_id == job.id, Result.similarity_key > 0)
    return session.scalars(noted.limit(1)).first() is not None


def find_neighbours(session: Session, job: Job, wanted: ResultFilter, image_id: int) -> Neighbours:
    """The images before and after one in a view.

    Raises:
        NotFound: The image does not belong to the job.
        Invalid: A filter has a value that does not exist.
    """
    order = order_of(wanted.sort)
    own = select(*order.columns).select_from(Image).join(Result, Result.image_id == Image.id)
    key = session.execute(own.where(Result.job_id == job.id, Image.id == image_id)).one_or_none()
    if key is None:
        raise NotFound(f"Job {job.uuid} has no image {image_id}.")
    if None in key:  # it failed, and this order has no place for it
        return Neighbours(None, None)

    walks = results.lets_many_through(session, job, wanted)

    def nearest(backwards: bool) -> int | None:
        turned = Order(order.columns, order.types, order.downwards != backwards)
        found = (
            select(Image.id)
            .join(Result, Result.image_id == Image.id)
            .where(*_of_view(job, wanted, order, walks), order.after(key, backwards))
            .order_by(*turned.by)
            .limit(1)
        )
        return session.scalar(found)

    return Neighbours(nearest(backwards=True), nearest(backwards=False))


class Bin(NamedTuple):
    """How many results have a class and a thousandth of confidence; `n_neither`: those that are neither if unsure."""

    class_index: int
    thousandth: int
    n: int
    n_neither: int


@dataclass(frozen=True)
class Histogram:
    """The bins of good results, ordered by class and confidence, and how many files have failed."""

    bins: list[Bin]
    n_failed: int


def find_histogram(session: Session, job: Job, wanted: ResultFilter = ALL_RESULTS) -> Histogram:
    """The histogram of a job, or of the results that a filter lets through, which are read for it."""
    if wanted == ALL_RESULTS:
        of_job = HistogramBin.job_id == job.id
        columns = (HistogramBin.class_index, HistogramBin.bin, HistogramBin.n, HistogramBin.n_neither)
        query = select(*columns).where(of_job).order_by(HistogramBin.class_index, HistogramBin.bin)
        return Histogram([Bin(*row) for row in session.execute(query)], job.n_failed)
    can_be_neither = Result.confidence < MILLION // 2  # spares reading the probabilities of most
    keys = select(
        Result.class_index.label("class_index"),
        (Result.confidence // 1000).label("thousandth"),
        case((can_be_neither, case((gives_neither(), 1), else_=0)), else_=0).label("is_neither"),
    )
    rows = _from_results(session, keys, job, wanted).subquery()
    by = (rows.c.class_index, rows.c.thousandth)
    counted = session.execute(select(*by, func.count(), func.sum(rows.c.is_neither)).group_by(*by)).all()
    bins = [Bin(row[0], row[1], row[2], int(row[3])) for row in counted if row[1] is not None]
    return Histogram(sorted(bins), sum(row[2] for row in counted if row[1] is None))


# Failed files have no confidence, by which an index of the results finds them.
_FAILED = Order((Result.confidence, Result.image_id), (int, int))


@dataclass(frozen=True)
class ErrorCount:
    """How many files failed for one reason. `kinds`: what they are, where that is known, the most frequent first."""

    code: ErrorCode
    n: int
    kinds: list[tuple[str, int]]


def count_errors(session: Session, job: Job, wanted: ResultFilter = ALL_RESULTS) -> list[ErrorCount]:
    """How many files that a filter lets through failed for each reason, the most frequent first."""
    columns: list[Any] = [Result.error_code, Result.error_detail]
    failed = replace(wanted, failed=True, sort="confidence")  # in the order of an index that knows where they are
    query = _narrowed(session, select(*columns, func.count()), job, failed, _FAILED)
    by_code: dict[str, dict[str | None, int]] = {}
    for code, detail, n in session.execute(query.group_by(*columns)):
        if code:
            by_code.setdefault(code, {})[detail] = n
    found = [
        ErrorCount(
            ErrorCode(code),
            sum(by_kind.values()),
            sorted(((kind, n) for kind, n in by_kind.items() if kind), key=lambda one: (-one[1], one[0])),
        )
        for code, by_kind in by_code.items()
    ]
    return sorted(found, key=lambda one: (-one.n, one.code))


def count_warnings(session: Session, job: Job) -> int:
    """How many pictures of a job have a label and a warning."""
    warned = (Result.job_id == job.id) & Result.warning.is_not(None)
    return session.scalars(select(func.count()).select_from(Result).where(warned)).one()


def count_by_label(session: Session, job: Job, wanted: ResultFilter = ALL_RESULTS) -> list[tuple[str, str | None, int]]:
    """Count the readable pictures that a filter lets through by the model's label and the person's.

    Returns:
        The model's label as shown, the person's label or None, and the number of pictures.
    """
    sure = Result.confidence >= job.threshold_milli * 1000
    called = case((sure, case(dict(enumerate(CLASSES)), value=Result.class_index)), else_=UNSURE)
    both = (
        select(called.label("called"), human_label_of(Image).label("said"))
        .select_from(Image)
        .join(Result, Result.image_id == Image.id)
        .where(Image.upload_id == job.upload_id, Result.job_id == job.id, Result.confidence.is_not(None))
        .where(*conditions(wanted, job.threshold_milli))
        .subquery()
    )
    counted = select(both.c.called, both.c.said, func.count()).group_by(both.c.called, both.c.said)
    return [(row[0], row[1], row[2]) for row in session.execute(counted)]


def _narrowed(session: Session, keys: Select[Any], job: Job, wanted: ResultFilter, order: Order) -> Select[Any]:
    """The keys of a view, read from one table where that is enough: five times as fast as from both."""
    asks_images = wanted.path is not None or wanted.folder is not None or wanted.said is not None
    asks_results = wanted != ResultFilter(path=wanted.path, folder=wanted.folder, sort=wanted.sort)
    if order.is_of_images and not asks_results and job.n_total and job.n_done + job.n_failed == job.n_total:
        return keys.where(Image.upload_id == job.upload_id, *conditions(wanted, job.threshold_milli))
    if not order.is_of_images and not asks_images:
        return keys.where(Result.job_id == job.id, *order.conditions, *conditions(wanted, job.threshold_milli))
    return _of_both(session, keys, job, wanted, order)


def _from_results(session: Session, keys: Select[Any], job: Job, wanted: ResultFilter) -> Select[Any]:
    """Keys of results; those of some names by their images, or SQLite would read all results first."""
    if wanted.said is not None:
        return _of_both(session, keys, job, wanted, order_of("order"))
    of_files = ResultFilter(path=wanted.path, folder=wanted.folder)
    of_results = replace(wanted, path=None, folder=None)
    query = keys.where(Result.job_id == job.id, *conditions(of_results, job.threshold_milli))
    if of_files == ALL_RESULTS:
        return query
    images = select(Image.id).where(Image.upload_id == job.upload_id, *conditions(of_files, job.threshold_milli))
    return query.where(Result.image_id.in_(images))


def _of_both(session: Session, keys: Select[Any], job: Job, wanted: ResultFilter, order: Order) -> Select[Any]:
    walks = results.lets_many_through(session, job, wanted)
    both = keys.select_from(Image).join(Result, Result.image_id == Image.id)
    return both.where(*_of_view(job, wanted, order, walks))


def _of_view(job: Job, wanted: ResultFilter, order: Order, walks: bool) -> tuple[ColumnElement[bool], ...]:
    return (
        Image.upload_id == job.upload_id,
        Result.job_id == job.id,
        *order.conditions,
        *conditions(wanted, job.threshold_milli, walks=walks),
    )
