"""Audits: random samples of a job's pictures, labelled by people who do not see the predictions.

What people correct is chosen by doubt and says nothing about how often the model is right. A sample does: each good
result of the job has the same chance to be in it. It is drawn once, from a seed that is kept, and never changed; it can
be gone on with on another day.
"""

import hashlib
import heapq
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from core.base.database import Database
from core.base.errors import Conflict, IdTaken, Invalid, JobNotEnded, NotFound
from core.base.network_catalog import CLASSES
from core.base.paging import Page, page_newest_first
from core.base.states import ACTIVE_STATES, JobKind
from core.jobs import jobs
from core.jobs.confidence import shown_label
from core.labels.undo import find_valid_labels
from core.models.accuracy import wilson_interval
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.review import Audit, AuditPicture
from core.orm.uploads import Image

SIZES = (50, 100, 200)
READ_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """A labelled picture of an audit: the model's label, its likelier class, and the person's label (`said`).

    `path` is None when the picture is no longer there.
    """

    image_id: int
    path: str | None
    label: str | None
    best_guess: str
    confidence: float
    said: str


@dataclass(frozen=True, slots=True)
class AuditView:
    """An audit and its metrics, at the job's present threshold.

    Attributes:
        n_labelled: Answered pictures that the model labelled; it was unsure of the others.
        n_right: Those of them with the same label by the person.
        accuracy: `n_right / n_labelled`, with its 95 % interval (Wilson); None before there is any.
        guess_accuracy: How often the likelier class was right over all answered pictures, unsure ones too.
    """

    audit: Audit
    n_judged: int
    n_labelled: int
    n_right: int
    n_guessed_right: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    guess_accuracy: float | None
    guess_low: float | None
    guess_high: float | None

    @property
    def is_complete(self) -> bool:
        """Whether every picture of the sample was labelled."""
        return self.n_judged == self.audit.n_images


def draw_audit(
    db: Database, uuid: UUID, job_uuid: UUID, user_id: int | None, size: int, seed: int | None = None
) -> Audit:
    """Draw a sample of a job that has ended, or return the one that has this id.

    Choosing reads every result of the job, so it is done before the transaction that writes.

    Args:
        uuid: The caller's id: sent again, nothing happens twice.
        size: How many pictures; all of them when the job has fewer.
        seed: What the choice follows from; a new one when not given.
    Raises:
        NotFound, Gone: As `jobs.get_job`.
        Conflict: The job has not ended, has no good result, or the id is that of another sample.
        Invalid: The size is none of `SIZES`.
    """
    with db.read() as session:
        job = jobs.get_job(session, job_uuid)
        existing = _same_audit(session, uuid, job)
        if existing is not None:
            return existing
        if size not in SIZES:
            raise Invalid(f"size: expected one of {', '.join(map(str, SIZES))}; got {size}.")
        if job.kind != JobKind.CLASSIFY or job.state in ACTIVE_STATES:
            raise JobNotEnded(f"Job {job_uuid} is {job.state}: an audit can start when all pictures are sorted.")
        seed = secrets.randbits(62) if seed is None else seed
        pictures, n_population = _choose(session, job.id, size, seed)
    if not pictures:
        raise Conflict(f"Job {job_uuid} has no readable pictures, so there is nothing to audit.")
    drawn = {"seed": seed, "size": size, "n_images": len(pictures), "n_population": n_population}
    with db.write() as session:
        job = jobs.get_job(session, job_uuid, lock=True)
        existing = _same_audit(session, uuid, job)
        if existing is not None:
            return existing
        audit = Audit(uuid=uuid, job_id=job.id, user_id=user_id, **drawn)
        session.add(audit)
        session.flush()
        session.refresh(audit)
        session.execute(insert(AuditPicture), [picture | {"audit_id": audit.id} for picture in pictures])
        return audit


def _same_audit(session: Session, uuid: UUID, job: Job) -> Audit | None:
    existing = session.scalar(select(Audit).where(Audit.uuid == uuid))
    if existing is not None and existing.job_id != job.id:
        raise IdTaken(f"Audit {uuid} exists and belongs to another job. Choose a new id.")
    return existing


def _choose(session: Session, job_id: int, size: int, seed: int) -> tuple[list[dict[str, Any]], int]:
    """The images with the smallest hashes of seed and id: uniform, in random order; and out of how many."""
    good = select(Result.image_id).where(Result.job_id == job_id, Result.error_code.is_(None))
    image_ids = list(session.scalars(good.execution_options(yield_per=READ_AT_ONCE)))
    chosen = heapq.nsmallest(size, image_ids, key=lambda image_id: _lot(seed, image_id))
    columns = (Image.id.label("image_id"), Image.sha256, Result.class_index, Result.confidence)
    rows = session.execute(
        select(*columns).join(Result, Result.image_id == Image.id).where(Result.job_id == job_id, Image.id.in_(chosen))
    )
    place = {image_id: position for position, image_id in enumerate(chosen)}
    return [dict(row) | {"position": place[row["image_id"]]} for row in rows.mappings()], len(image_ids)


def _lot(seed: int, image_id: int) -> bytes:
    return hashlib.blake2b(b"%d" % image_id, key=b"%d" % seed, digest_size=16).digest()


def get_audit(session: Session, uuid: UUID) -> Audit:
    """A sample by its id.

    Raises:
        NotFound: There is none, or its job was deleted.
    """
    alive = Job.deleted_at.is_(None)
    audit = session.scalar(select(Audit).join(Job, Job.id == Audit.job_id).where(Audit.uuid == uuid, alive))
    if audit is None:
        raise NotFound(f"There is no audit {uuid}.")
    return audit


def list_audits(session: Session, job: Job, cursor: str | None = None, limit: int = 100) -> Page[Audit]:
    """The samples of a job, newest first."""
    query = select(Audit).where(Audit.job_id == job.id)
    return page_newest_first(session, query, Audit.id, cursor, limit)


def check_pictures(session: Session, audit: Audit, image_ids: set[int]) -> None:
    """Refuse images that are not in the sample.

    Raises:
        Invalid: One of them is not.
    """
    known = session.scalars(select(AuditPicture.image_id).where(AuditPicture.audit_id == audit.id)).all()
    if unknown := image_ids - set(known):
        raise Invalid(f"image_id: expected pictures of audit {audit.uuid}; {min(unknown)} is not in it.")


def is_answered(audit_id: int, sha256: InstrumentedAttribute[bytes]) -> ColumnElement[bool]:
    """SQL for whether a content has a label of this audit that was not undone."""
    given, undo = aliased(Label), aliased(Label)
    is_undone = select(undo.id).where(undo.undoes_id == given.id).exists()
    of_audit = (given.audit_id == audit_id) & (given.sha256 == sha256) & given.label.is_not(None)
    return select(given.id).where(of_audit, ~is_undone).exists()


def list_answers(session: Session, audit: Audit, threshold_milli: int) -> list[AuditAnswer]:
    """The labelled pictures of an audit, in the order in which they were drawn.

    What counts are the labels within the audit, given blind: later labels, given in sight of the prediction, do not
    change them.
    """
    pictures = list(
        session.scalars(select(AuditPicture).where(AuditPicture.audit_id == audit.id).order_by(AuditPicture.position))
    )
    said = _labels_in(session, audit, [picture.sha256 for picture in pictures])
    image_ids = [picture.image_id for picture in pictures]
    paths = dict(session.execute(select(Image.id, Image.path).where(Image.id.in_(image_ids))).all())
    return [
        AuditAnswer(
            image_id=picture.image_id,
            path=paths.get(picture.image_id),
            label=shown_label(picture.class_index, picture.confidence, threshold_milli),
            best_guess=CLASSES[picture.class_index],
            confidence=picture.confidence / 1_000_000,
            said=said[picture.sha256],
        )
        for picture in pictures
        if picture.sha256 in said
    ]


def _labels_in(session: Session, audit: Audit, contents: Sequence[bytes]) -> dict[bytes, str]:
    said: dict[bytes, str] = {}
    for sha256, stack in find_valid_labels(session, contents).items():
        here = [one.label for one in stack if one.audit_id == audit.id and one.label is not None]
        if here:
            said[sha256] = here[-1]
    return said


def describe_audit(session: Session, audit: Audit, threshold_milli: int) -> AuditView:
    """A sample with its figures, at a threshold."""
    judged = list_answers(session, audit, threshold_milli)
    labelled = [picture for picture in judged if picture.label in CLASSES]
    n_right = sum(picture.label == picture.said for picture in labelled)
    n_guessed_right = sum(picture.best_guess == picture.said for picture in judged)
    accuracy, low, high = _share(n_right, len(labelled))
    guess, guess_low, guess_high = _share(n_guessed_right, len(judged))
    return AuditView(
        audit=audit,
        n_judged=len(judged),
        n_labelled=len(labelled),
        n_right=n_right,
        n_guessed_right=n_guessed_right,
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        guess_accuracy=guess,
        guess_low=guess_low,
        guess_high=guess_high,
    )


def _share(n: int, of: int) -> tuple[float | None, float | None, float | None]:
    return (n / of, *wilson_interval(n, of)) if of else (None, None, None)
