"""The review queue: pictures of a job or an audit for its reviewers, none to two people.

A job's queue has three stretches, each of which begins closest to the threshold: unsure pictures, those with a label,
and those that are probably neither, which can be labelled together.

A reviewer is one open page. It claims a few pictures at a time, under a lease by the database's clock, and regularly
names those that it still holds: pictures that it no longer names, or no longer renews, are free for others.
Pictures with a label by a person are not handed out. Candidates are found without a lock; the claim decides.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    UnaryExpression,
    delete,
    false,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from core.base import leases
from core.base.clock import db_now
from core.base.database import change, insert_or
from core.base.errors import Invalid
from core.base.states import JobKind
from core.jobs import jobs
from core.jobs.confidence import MILLION, UNSURE, is_neither, p_neither, shown_label
from core.jobs.result_filter import gives_neither
from core.labels.labels import human_label_of, person_label_of
from core.orm.jobs import Job
from core.orm.results import Result
from core.orm.review import Audit, AuditPicture, ReviewClaim
from core.orm.uploads import Image
from core.review.audits import get_audit, is_answered

LEASE_S = 120.0
MOST_APART = 2 * MILLION  # more than any confidence is from a threshold
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A picture to be reviewed. `place` is its position. In an audit, everything about the prediction is None."""

    image_id: int
    place: Position
    path: str | None
    label: str | None
    confidence: float | None
    probabilities: list[float] | None
    human_label: str | None

    @property
    def p_neither(self) -> float | None:
        """The probability that it shows none of the classes; None in an audit."""
        return None if self.probabilities is None else p_neither(self.probabilities)

    @property
    def is_probably_neither(self) -> bool:
        """Whether the model is unsure because it probably shows none of the classes."""
        return self.label == UNSURE and self.probabilities is not None and is_neither(self.probabilities)


@dataclass(frozen=True)
class _Stretch:
    """A part of a job's queue.

    Attributes:
        number: Its place among the parts.
        kind: SQL for what its results have in common besides their confidence.
        falls: Whether confidence falls along it, away from the threshold; otherwise it rises.
        bound: Where its confidences begin, in millionths.
        threshold: In millionths.
    """

    number: int
    kind: ColumnElement[bool]
    falls: bool
    bound: int
    threshold: int

    @property
    def by(self) -> list[UnaryExpression[Any]]:
        """For ORDER BY."""
        columns = (Result.confidence, Result.image_id)
        return [column.desc() if self.falls else column.asc() for column in columns]

    @property
    def _sign(self) -> int:
        return -1 if self.falls else 1

    def place(self, confidence: int, image_id: int) -> Position:
        """The position of a picture in the queue; positions compare like the queue."""
        return self.number * MOST_APART + self._sign * (confidence - self.threshold), self._sign * image_id

    def rest(self, after: Position | None) -> ColumnElement[bool]:
        """SQL for its results after a position in the queue."""
        number, distance = (-1, 0) if after is None else divmod(after[0], MOST_APART)
        if number > self.number:
            return false()
        if after is None or number < self.number:
            return self.kind & (Result.confidence < self.bound if self.falls else Result.confidence >= self.bound)
        # In place of the bound: SQLite uses one limit of an index, and perhaps the wider one.
        key = (self.threshold + self._sign * distance, self._sign * after[1])
        columns = tuple_(Result.confidence, Result.image_id)
        return self.kind & (columns < key if self.falls else columns > key)


@dataclass(frozen=True)
class ReviewQueue:
    """What is reviewed: a job, or an audit of it."""

    job: Job
    audit: Audit | None = None

    @property
    def audit_id(self) -> int:
        """The sample's key, 0 for the job's own review."""
        return self.audit.id if self.audit else 0


def open_queue(session: Session, job_uuid: UUID, audit_uuid: UUID | None) -> ReviewQueue:
    """The queue of a job, or of one of its audits.

    Raises:
        NotFound, Gone: There is no such job or audit.
        Invalid: The job has no pictures, or the audit is one of another job.
    """
    job = jobs.get_job(session, job_uuid)
    if job.kind != JobKind.CLASSIFY:
        raise Invalid(f"job: expected one that classifies pictures; {job_uuid} does not.")
    audit = get_audit(session, audit_uuid) if audit_uuid else None
    if audit is not None and audit.job_id != job.id:
        raise Invalid(f"audit: expected one of job {job_uuid}; {audit_uuid} belongs to another job.")
    return ReviewQueue(job, audit)


def find_candidates(
    session: Session, queue: ReviewQueue, reviewer: UUID, after: Position | None, n: int
) -> list[ReviewItem]:
    """The next pictures that are not labelled, skipped or held; found, not yet claimed.

    Args:
        after: The position to start after; from the beginning again when that is not enough.
    """
    if n <= 0:
        return []
    find = _find_in_job if queue.audit is None else _find_in_audit
    found = find(session, queue, reviewer, after, n)
    if after is not None and len(found) < n:
        known = {picture.image_id for picture in found}
        again = find(session, queue, reviewer, None, n)
        found += [picture for picture in again if picture.image_id not in known]
    return found[:n]


def _is_free(queue: ReviewQueue, reviewer: UUID, image_id: Any) -> ColumnElement[bool]:
    taken = leases.is_current(ReviewClaim.lease_until) & (ReviewClaim.reviewer != reviewer)
    claim = (ReviewClaim.job_id == queue.job.id) & (ReviewClaim.audit_id == queue.audit_id)
    claim &= ReviewClaim.image_id == image_id
    return ~select(ReviewClaim.image_id).where(claim, ReviewClaim.skipped_at.is_not(None) | taken).exists()


def _find_in_job(
    session: Session, queue: ReviewQueue, reviewer: UUID, after: Position | None, n: int
) -> list[ReviewItem]:
    pictures: list[ReviewItem] = []
    is_open = person_label_of(Image).is_(None) & _is_free(queue, reviewer, Result.image_id)
    for stretch in _stretches(queue.job.threshold_milli):
        if len(pictures) == n:
            break
        query = _select_pictures(queue.job).where(stretch.rest(after), is_open)
        rows = session.execute(query.order_by(*stretch.by).limit(n - len(pictures)))
        pictures += [_picture(row, queue.job.threshold_milli, stretch) for row in rows]
    return pictures


def _stretches(threshold_milli: int) -> list[_Stretch]:
    threshold = threshold_milli * 1000
    return [
        _Stretch(0, ~gives_neither(), falls=True, bound=threshold, threshold=threshold),
        _Stretch(1, true(), falls=False, bound=threshold, threshold=threshold),
        _Stretch(2, gives_neither(), falls=True, bound=min(threshold, MILLION // 2), threshold=threshold),
    ]


def _stretch_of(row: Row[Any], stretches: Sequence[_Stretch]) -> _Stretch:
    if row.confidence >= stretches[0].threshold:
        return stretches[1]
    return stretches[2 if is_neither(row.probabilities) else 0]


def _select_pictures(job: Job) -> Select[Any]:
    return (
        select(
            Image.id,
            Image.path,
            Result.class_index,
            Result.confidence,
            Result.probabilities,
            human_label_of(Image).label("human_label"),
        )
        .join(Result, Result.image_id == Image.id)
        .where(Image.upload_id == job.upload_id, Result.job_id == job.id, Result.error_code.is_(None))
    )


def find_pictures(session: Session, queue: ReviewQueue, image_ids: Sequence[int]) -> list[ReviewItem]:
    """Certain pictures of a queue, in its order, whether held or not; those that are not in it are left out."""
    if queue.audit is not None:
        of_audit = select(AuditPicture.position, AuditPicture.image_id).where(AuditPicture.audit_id == queue.audit_id)
        rows = session.execute(of_audit.where(AuditPicture.image_id.in_(image_ids)))
        return [_blind(*row) for row in rows.all()]
    rows_ = session.execute(_select_pictures(queue.job).where(Image.id.in_(image_ids)))
    stretches = _stretches(queue.job.threshold_milli)
    pictures = [_picture(row, queue.job.threshold_milli, _stretch_of(row, stretches)) for row in rows_]
    return sorted(pictures, key=lambda picture: picture.place)


def _picture(row: Row[Any], threshold_milli: int, stretch: _Stretch) -> ReviewItem:
    return ReviewItem(
        image_id=row.id,
        place=stretch.place(row.confidence, row.id),
        path=row.path,
        label=shown_label(row.class_index, row.confidence, threshold_milli),
        confidence=row.confidence / MILLION,
        probabilities=row.probabilities,
        human_label=row.human_label,
    )


def _blind(position: int, image_id: int) -> ReviewItem:
    return ReviewItem(image_id, (position, image_id), None, None, None, None, None)


def _find_in_audit(
    session: Session, queue: ReviewQueue, reviewer: UUID, after: Position | None, n: int
) -> list[ReviewItem]:
    query = (
        select(AuditPicture.position, AuditPicture.image_id)
        .join(Image, Image.id == AuditPicture.image_id)
        .where(AuditPicture.audit_id == queue.audit_id, ~is_answered(queue.audit_id, AuditPicture.sha256))
        .where(_is_free(queue, reviewer, AuditPicture.image_id))
    )
    if after is not None:
        query = query.where(AuditPicture.position > after[0])
    rows = session.execute(query.order_by(AuditPicture.position).limit(n)).all()
    return [_blind(position, image_id) for position, image_id in rows]


def claim_pictures(
    session: Session,
    queue: ReviewQueue,
    reviewer: UUID,
    holding: Collection[int],
    skipped: Collection[int] = (),
    candidates: Collection[int] = (),
) -> set[int]:
    """Renew what a reviewer holds, release what they no longer name, mark what they skip, claim candidates.

    Returns:
        The images that this reviewer holds from now on: those in `holding` and `candidates` that no other reviewer
        has claimed.
    """
    wanted = set(holding) | set(candidates)
    let_go = claims_of(queue) & (ReviewClaim.reviewer == reviewer) & ReviewClaim.skipped_at.is_(None)
    change(session, delete(ReviewClaim).where(let_go, ReviewClaim.image_id.not_in(wanted | set(skipped))))
    _upsert(session, queue, reviewer, set(skipped), is_skipped=True)
    return _upsert(session, queue, reviewer, wanted - set(skipped), is_skipped=False)


def claims_of(queue: ReviewQueue) -> ColumnElement[bool]:
    """SQL for the claims in a queue."""
    return (ReviewClaim.job_id == queue.job.id) & (ReviewClaim.audit_id == queue.audit_id)


def _upsert(session: Session, queue: ReviewQueue, reviewer: UUID, image_ids: set[int], is_skipped: bool) -> set[int]:
    if not image_ids:
        return set()
    insert = insert_or(session, ReviewClaim)
    may = leases.has_run_out(ReviewClaim.lease_until) | (ReviewClaim.reviewer == reviewer)
    claim = insert.on_conflict_do_update(
        index_elements=["job_id", "audit_id", "image_id"],
        set_={name: insert.excluded[name] for name in ("reviewer", "lease_until", "skipped_at")},
        where=may,
    )
    own = {"job_id": queue.job.id, "audit_id": queue.audit_id, "reviewer": reviewer}
    values = {"skipped_at": db_now() if is_skipped else None, **leases.renewal_values(LEASE_S)}
    rows = [own | {"image_id": image_id} for image_id in sorted(image_ids)]
    return set(session.scalars(claim.values(values).returning(ReviewClaim.image_id), rows))


def count_skipped(session: Session, queue: ReviewQueue) -> int:
    """How many pictures were skipped and not labelled since."""
    skipped = (
        select(func.count())
        .select_from(ReviewClaim)
        .join(Image, Image.id == ReviewClaim.image_id)
        .where(claims_of(queue), ReviewClaim.skipped_at.is_not(None))
    )
    is_labelled = is_answered(queue.audit_id, Image.sha256) if queue.audit else person_label_of(Image).is_not(None)
    return session.scalars(skipped.where(~is_labelled)).one()


def restore_skipped(session: Session, queue: ReviewQueue) -> None:
    """Hand out skipped pictures again."""
    change(session, delete(ReviewClaim).where(claims_of(queue), ReviewClaim.skipped_at.is_not(None)))


def release(session: Session, queue: ReviewQueue, reviewer: UUID) -> None:
    """A reviewer leaves: the pictures that they hold are free at once."""
    own = (ReviewClaim.reviewer == reviewer) & ReviewClaim.skipped_at.is_(None)
    change(session, delete(ReviewClaim).where(claims_of(queue), own))
