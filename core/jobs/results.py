"""Reading results: one for each image in each job, page by page."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select, true
from sqlalchemy.orm import Session, aliased

from core.base.database import is_postgresql
from core.base.errors import ErrorCode, ImageWarning, NotFound
from core.base.network_catalog import CLASSES
from core.base.paging import Page, decode_cursor, encode_cursor
from core.jobs.confidence import MILLION, UNSURE, is_neither, p_neither, shown_label
from core.jobs.result_filter import ResultFilter, conditions, order_of
from core.labels.labels import human_label_of
from core.orm.jobs import Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import PATH_START_CHARS, Image

MANY = 20  # one of so many


@dataclass(frozen=True)
class ResultRow:
    """One image of a job as it is shown."""

    image_id: int
    ordinal: int
    path: str
    n_bytes: int
    sha256: bytes
    label: str | None
    confidence: float | None
    probabilities: list[float] | None
    human_label: str | None
    error_code: str | None
    error_detail: str | None
    warning: str | None
    network: str | None = None

    @property
    def error(self) -> str | None:
        """The sentence that goes with the error code."""
        return ErrorCode(self.error_code).explain(self.error_detail) if self.error_code else None

    @property
    def warning_sentence(self) -> str | None:
        """The sentence that goes with the warning."""
        return ImageWarning(self.warning).sentence if self.warning else None

    @property
    def p_neither(self) -> float | None:
        """The probability that it shows none of the classes; None for a failed file."""
        return None if self.probabilities is None else p_neither(self.probabilities)

    @property
    def is_probably_neither(self) -> bool:
        """Whether the model is unsure because it probably shows none of the classes."""
        return self.label == UNSURE and self.probabilities is not None and is_neither(self.probabilities)

    @property
    def final_label(self) -> str | None:
        """What counts in the end: people's word, else the model's."""
        return self.human_label or self.label


def list_results(session: Session, job: Job, wanted: ResultFilter, cursor: str | None, limit: int) -> Page[ResultRow]:
    """One page of a job's results.

    Raises:
        Invalid: A filter has a value that does not exist.
    """
    walks = lets_many_through(session, job, wanted)
    matching = list(conditions(wanted, job.threshold_milli, walks=walks))
    if not matching and order_of(wanted.sort).is_of_images and is_postgresql(session):
        query = _select_one_by_one(job).where(Image.upload_id == job.upload_id)
    else:
        query = _select().where(Image.upload_id == job.upload_id, Result.job_id == job.id, *matching)
    rows = session.execute(_order(query, wanted.sort, cursor).limit(limit + 1)).all()
    following = _cursor(rows[limit - 1], wanted.sort) if len(rows) > limit else None
    return Page([_result_row(row, job.threshold_milli) for row in rows[:limit]], following)


def lets_many_through(session: Session, job: Job, wanted: ResultFilter) -> bool:
    """Whether a filter by label, in an order of the images, lets through so many that it is best to look at each.

    An index finds few of them at once; many have to be sorted before the first one is known.
    """
    if not order_of(wanted.sort).is_of_images:
        return False
    of_job, is_sure = HistogramBin.job_id == job.id, HistogramBin.bin >= job.threshold_milli
    match wanted:
        case ResultFilter(neither=str()):
            n = select(func.sum(HistogramBin.n_neither)).where(of_job, ~is_sure)
        case ResultFilter(label="unsure"):
            n = select(func.sum(HistogramBin.n)).where(of_job, ~is_sure)
        case ResultFilter(label=str() as label) if label in CLASSES:
            is_class = HistogramBin.class_index == CLASSES.index(label)
            n = select(func.sum(HistogramBin.n)).where(of_job, is_class, is_sure)
        case _:
            return False
    return (session.scalar(n) or 0) * MANY > job.n_total


def get_result(session: Session, job: Job, image_id: int) -> ResultRow:
    """The result of one image in a job.

    Raises:
        NotFound: The job has none for this image.
    """
    of_job = (Result.job_id == job.id) & (Image.upload_id == job.upload_id)
    row = session.execute(_select().where(of_job, Image.id == image_id)).one_or_none()
    if row is None:
        raise NotFound(f"Job {job.uuid} has no result for an image {image_id}.")
    return _result_row(row, job.threshold_milli)


def _select() -> Select[Any]:
    return _columns(Result).join(Result, Result.image_id == Image.id)


def _select_one_by_one(job: Job) -> Select[Any]:
    """The same for a walk over images: PostgreSQL looks up the result of each one, because of the limit.

    Without it, it compares each image with each result as long as it has no statistics of a job that has just ended.
    """
    its = select(Result).where(Result.job_id == job.id, Result.image_id == Image.id).limit(1)
    result = aliased(Result, its.lateral())
    return _columns(result).join(result, true())


def _columns(result: type[Result]) -> Select[Any]:
    return select(
        Image.id,
        Image.ordinal,
        Image.path,
        Image.n_bytes,
        Image.sha256,
        result.class_index,
        result.confidence,
        result.probabilities,
        result.similarity_key,
        result.error_code,
        result.error_detail,
        result.warning,
        result.network,
        human_label_of(Image).label("human_label"),
    )


def _result_row(row: Row[Any], threshold_milli: int) -> ResultRow:
    return ResultRow(
        image_id=row.id,
        ordinal=row.ordinal,
        path=row.path,
        n_bytes=row.n_bytes,
        sha256=row.sha256,
        label=shown_label(row.class_index, row.confidence, threshold_milli),
        confidence=None if row.confidence is None else row.confidence / MILLION,
        probabilities=row.probabilities,
        human_label=row.human_label,
        error_code=row.error_code,
        error_detail=row.error_detail,
        warning=row.warning,
        network=row.network,
    )


def _order(query: Select[Any], sort: str, cursor: str | None) -> Select[Any]:
    order = order_of(sort)
    query = query.where(*order.conditions)
    if cursor:
        query = query.where(order.after(decode_cursor(cursor, *order.types)))
    return query.order_by(*order.by)


def _cursor(row: Row[Any], sort: str) -> str:
    if sort == "path":
        return encode_cursor(row.path[:PATH_START_CHARS], row.ordinal)
    if sort == "alike":
        return encode_cursor(row.similarity_key, row.id)
    return encode_cursor(row.confidence, row.id) if "confidence" in sort else encode_cursor(row.ordinal)
