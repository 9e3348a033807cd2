"""Results: one for each image in each job, recorded with the chunk, the counters and the histogram in one transaction.

Probabilities are kept as they are shown: rounded to millionths, and never more than 1 together. A confidence falls
into the bin of its thousandth (0 to 1000), thresholds are thousandths too, so sums over bins equal counts of rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, UnaryExpression, case, func, insert, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.base.clock import db_now, seconds_since
from core.base.database import insert_or
from core.base.errors import ErrorCode, Invalid, LeaseLost, NotFound
from core.base.network_catalog import CLASSES
from core.base.paging import Page, decode_cursor, encode_cursor
from core.base.states import ACTIVE_STATES
from core.jobs import chunks, jobs
from core.jobs.chunks import Claim
from core.labels.labels import human_label_of, word_of_people
from core.orm.evaluation import Judgement
from core.orm.jobs import Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard, Upload

MILLION = 1_000_000
UNSURE = "unsure"
LONGEST_PAUSE_S = 60.0  # between two chunks of a job at work; what is longer was a stop, and tells nothing of its rate
SORTS = ("order", "path", "confidence", "-confidence", "alike")
SAID = ("nothing", "something", "otherwise")


@dataclass(frozen=True)
class Outcome:
    """What became of one image: a probability for each class (float, 0 to 1), or an error code.

    `heat` and `looks` as in `Result`.
    """

    image_id: int
    probabilities: Sequence[float] | None = None
    error_code: ErrorCode | None = None
    heat: bytes | None = None
    looks: int = 0


def record(session: Session, claim: Claim, outcomes: Sequence[Outcome]) -> bool:
    """Write the results of a claimed chunk, its end, the job's counters and histogram: all or nothing.

    Returns:
        Whether this ended the job.
    Raises:
        LeaseLost: Another worker has the chunk by now, or the job was cancelled or deleted; roll back.
    """
    rows = [_row(claim.job_id, outcome) for outcome in outcomes]
    n_failed = sum(row["error_code"] is not None for row in rows)
    since_last = seconds_since(func.coalesce(Job.moved_at, Job.started_at, db_now()))
    is_last = session.scalar(
        update(Job)
        .where(Job.id == claim.job_id, Job.state.in_(ACTIVE_STATES), Job.deleted_at.is_(None))
        .values(
            n_done=Job.n_done + len(rows) - n_failed,
            n_failed=Job.n_failed + n_failed,
            n_chunks_done=Job.n_chunks_done + 1,
            revision=Job.revision + 1,
            moved_at=db_now(),
            active_s=Job.active_s + case((since_last > LONGEST_PAUSE_S, LONGEST_PAUSE_S), else_=since_last),
        )
        .returning(Job.n_chunks_done == Job.n_chunks)
        .execution_options(synchronize_session=False)
    )
    if is_last is None or not chunks.mark_done(session, claim):
        raise LeaseLost(f"Chunk {claim.chunk_id} is no longer this worker's; its results were dropped.")
    if rows:
        session.execute(insert(Result), rows)
        _add_to_histogram(session, claim.job_id, rows)
    return bool(is_last) and jobs.finish_job(session, claim.job_id)


def _row(job_id: int, outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {
        "job_id": job_id,
        "image_id": outcome.image_id,
        "error_code": outcome.error_code,
        "heat": outcome.heat,
        "looks": outcome.looks,
    }
    if outcome.probabilities is None:
        return row | {"class_index": None, "confidence": None, "probabilities": None}
    millionths = to_millionths(outcome.probabilities)
    confidence = max(millionths)
    return row | {
        "class_index": millionths.index(confidence),
        "confidence": confidence,
        "probabilities": [value / MILLION for value in millionths],
    }


def to_millionths(probabilities: Sequence[float]) -> list[int]:
    """Probabilities as whole millionths whose sum does not pass one million; the largest gives way."""
    millionths = [round(float(value) * MILLION) for value in probabilities]
    excess = sum(millionths) - MILLION
    if excess > 0:
        millionths[millionths.index(max(millionths))] -= excess
    return millionths


def _add_to_histogram(session: Session, job_id: int, rows: list[dict[str, Any]]) -> None:
    bins = Counter((row["class_index"], row["confidence"] // 1000) for row in rows if row["error_code"] is None)
    if not bins:
        return
    added = insert_or(session, HistogramBin)
    values = [
        {"job_id": job_id, "class_index": class_index, "bin": bin_, "n": n}
        for (class_index, bin_), n in sorted(bins.items())
    ]
    session.execute(
        added.on_conflict_do_update(
            index_elements=["job_id", "class_index", "bin"], set_={"n": HistogramBin.n + added.excluded.n}
        ),
        values,
    )


@dataclass(frozen=True)
class ResultFilter:
    """What a list of results is narrowed to, and its order (`SORTS`; `order` is the order of the upload).

    Attributes:
        path: Text that the path contains, upper and lower case alike.
        folder: A folder whose files, and those of folders in it, are wanted; exactly as sent.
        said: One of `SAID`: whether, and what, a person said of the picture.
    """

    label: str | None = None
    error_code: str | None = None
    failed: bool | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    path: str | None = None
    folder: str | None = None
    said: str | None = None
    sort: str = "order"


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

    @property
    def error(self) -> str | None:
        """The sentence that goes with the error code."""
        return ErrorCode(self.error_code).sentence if self.error_code else None

    @property
    def final_label(self) -> str | None:
        """What counts in the end: people's word, else the model's."""
        return self.human_label or self.label


def shown_label(class_index: int | None, confidence: int | None, threshold_milli: int) -> str | None:
    """The label that a result is shown with; never stored."""
    if class_index is None or confidence is None:
        return None
    return CLASSES[class_index] if confidence // 1000 >= threshold_milli else UNSURE


def list_results(session: Session, job: Job, wanted: ResultFilter, cursor: str | None, limit: int) -> Page[ResultRow]:
    """One page of a job's results.

    Raises:
        Invalid: A filter has a value that does not exist.
    """
    query = _select().where(
        Image.upload_id == job.upload_id, Result.job_id == job.id, *conditions(wanted, job.threshold_milli)
    )
    rows = session.execute(_order(query, wanted.sort, cursor).limit(limit + 1)).all()
    following = _cursor(rows[limit - 1], wanted.sort) if len(rows) > limit else None
    return Page([_result_row(row, job.threshold_milli) for row in rows[:limit]], following)


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
    return select(
        Image.id,
        Image.ordinal,
        Image.path,
        Image.n_bytes,
        Image.sha256,
        Result.class_index,
        Result.confidence,
        Result.probabilities,
        Result.looks,
        Result.error_code,
        human_label_of(Image).label("human_label"),
    ).join(Result, Result.image_id == Image.id)


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
    )


def conditions(wanted: ResultFilter, threshold_milli: int) -> Iterator[ColumnElement[bool]]:
    """SQL for what a filter lets through, on `Image` and `Result`.

    Raises:
        Invalid: A filter has a value that does not exist.
    """
    sure = Result.confidence >= threshold_milli * 1000
    if wanted.label is not None:
        yield _label_is(wanted.label, sure)
    if wanted.error_code is not None:
        yield Result.error_code == wanted.error_code
    if wanted.failed is not None or wanted.error_code is not None:
        # Whatever failed has no confidence: an index of its own would hold all results to find a few.
        yield Result.confidence.is_(None) if wanted.failed or wanted.error_code else Result.confidence.is_not(None)
    if wanted.min_confidence is not None:
        yield Result.confidence >= round(wanted.min_confidence * MILLION)
    if wanted.max_confidence is not None:
        yield Result.confidence <= round(wanted.max_confidence * MILLION)
    if wanted.path is not None:
        yield Image.path.icontains(wanted.path, autoescape=True)
    if wanted.folder is not None:  # not LIKE, which takes upper and lower case alike on SQLite
        below = f"{wanted.folder}/"
        yield func.substr(Image.path, 1, len(below)) == below
    if wanted.said is not None:
        yield _said_is(wanted.said, sure)


def _said_is(said: str, sure: ColumnElement[bool]) -> ColumnElement[bool]:
    word = word_of_people(Image)
    match said:
        case "nothing":
            return word.is_(None)
        case "something":
            return word.is_not(None)
        case "otherwise":
            called = case(dict(enumerate(CLASSES)), value=Result.class_index)
            return sure & word.is_not(None) & (word != called)
    raise Invalid(f"said: expected one of {', '.join(SAID)}; got {said!r}.")


def _label_is(label: str, sure: ColumnElement[bool]) -> ColumnElement[bool]:
    if label == UNSURE:
        return Result.error_code.is_(None) & ~sure
    if label not in CLASSES:
        raise Invalid(f"label: expected one of {', '.join((*CLASSES, UNSURE))}; got {label!r}.")
    return (Result.class_index == CLASSES.index(label)) & sure


@dataclass(frozen=True)
class Order:
    """An order of results: its columns, the types of their values in a cursor, its direction, what it leaves out."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    types: tuple[type, ...]
    downwards: bool = False
    conditions: tuple[ColumnElement[bool], ...] = ()

    @property
    def by(self) -> list[UnaryExpression[Any] | InstrumentedAttribute[Any]]:
        """For ORDER BY."""
        return [column.desc() if self.downwards else column for column in self.columns]

    def after(self, key: Sequence[Any], backwards: bool = False) -> ColumnElement[bool]:
        """What comes after a key, or with `backwards` before it."""
        # One column by itself: SQLite finds no index for a row value of one.
        columns, value = (tuple_(*self.columns), tuple(key)) if len(self.columns) > 1 else (self.columns[0], key[0])
        return columns < value if self.downwards != backwards else columns > value


def order_of(sort: str) -> Order:
    """An order by its name.

    Raises:
        Invalid: There is no such order.
    """
    match sort:
        case "order":
            return Order((Image.ordinal,), (int,))
        case "path":
            return Order((Image.path, Image.ordinal), (str, int))
        case "confidence" | "-confidence":  # whatever failed has none and is left out
            known = (Result.confidence.is_not(None),)
            return Order((Result.confidence, Result.image_id), (int, int), sort.startswith("-"), known)
        case "alike":
            return Order((Result.looks, Result.image_id), (int, int), conditions=(Result.confidence.is_not(None),))
    raise Invalid(f"sort: expected one of {', '.join(SORTS)}; got {sort!r}.")


def _order(query: Select[Any], sort: str, cursor: str | None) -> Select[Any]:
    order = order_of(sort)
    query = query.where(*order.conditions)
    if cursor:
        query = query.where(order.after(decode_cursor(cursor, *order.types)))
    return query.order_by(*order.by)


def _cursor(row: Row[Any], sort: str) -> str:
    if sort == "path":
        return encode_cursor(row.path, row.ordinal)
    if sort == "alike":
        return encode_cursor(row.looks, row.id)
    return encode_cursor(row.confidence, row.id) if "confidence" in sort else encode_cursor(row.ordinal)


@dataclass(frozen=True)
class StoredImage:
    """Where the bytes of an image are, and whether some job could read it; with `declared_bytes` they were not sent.

    With `discarded_at` the original counts as gone; with `thumbnails_key` there is a small picture in its place.
    """

    image_id: int
    ordinal: int
    path: str
    blob_key: str
    offset: int
    n_bytes: int
    declared_bytes: int | None
    sha256: bytes
    is_readable: bool
    thumbnails_key: str | None
    discarded_at: datetime | None


def get_image(session: Session, image_id: int) -> StoredImage:
    """Where to find an image's bytes.

    Raises:
        NotFound: There is no such image, or it was deleted.
    """
    good = (Result.image_id == Image.id) & Result.error_code.is_(None)
    readable = (
        select(Job.id).join(Result, Result.job_id == Job.id).where(Job.upload_id == Image.upload_id, good).exists()
        | select(Judgement.sha256).where(Judgement.sha256 == Image.sha256).exists()
    )
    row = session.execute(
        select(Image, Shard.blob_key, readable, Shard.thumbnails_key, Upload.discarded_at)
        .join(Shard, Shard.id == Image.shard_id)
        .join(Upload, Upload.id == Image.upload_id)
        .where(Image.id == image_id, Upload.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no image {image_id}.")
    image, blob_key, is_readable, thumbnails_key, discarded_at = row
    return StoredImage(
        image_id=image.id,
        ordinal=image.ordinal,
        path=image.path,
        blob_key=blob_key,
        offset=image.offset,
        n_bytes=image.n_bytes,
        declared_bytes=image.declared_bytes,
        sha256=image.sha256,
        is_readable=bool(is_readable),
        thumbnails_key=thumbnails_key,
        discarded_at=discarded_at,
    )
