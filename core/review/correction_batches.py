"""Corrections of a rearranged folder as a batch of labels: planned first, applied when somebody agrees.

The plan is kept with the batch until it is applied, slice by slice; then it can be undone like every batch
(core/review/bulk_labels.py). Plans that nobody applies are deleted after a day.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, check_owner
from core.base.clock import db_now
from core.base.database import Database, change, locked
from core.base.errors import Conflict, IdTaken, Invalid, NotFound
from core.base.states import BatchKind, JobKind, LabelSource
from core.jobs import jobs
from core.labels.labels import was_labelled_since
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.review import LabelBatch
from core.orm.uploads import Image
from core.review.corrected_folders import CorrectionPlan, FolderItem, plan_corrections

SLICE = 500
KEPT_S = 86_400.0


def check_corrections(db: Database, job_uuid: UUID, items: Iterable[FolderItem]) -> CorrectionPlan:
    """What a rearranged folder would change. Nothing is written.

    Raises:
        NotFound, Gone: As `jobs.get_job`.
        Invalid: The job classifies nothing.
    """
    with db.read() as session:
        job = _get_job(session, job_uuid)
    return plan_corrections(db, job, items)


def prepare_corrections(
    db: Database, actor: Actor, job_uuid: UUID, batch_uuid: UUID, items: Iterable[FolderItem]
) -> CorrectionPlan:
    """Plan what a rearranged folder changes, and keep the plan as a batch; `apply_corrections` writes its labels.

    Args:
        batch_uuid: The caller's id of the labels: the plan that was kept with it first stays.
    Raises:
        NotFound, Gone, Invalid: As `check_corrections`.
        Conflict: The id is that of another batch, or the batch was undone.
        Forbidden: The batch is somebody else's.
    """
    with db.read() as session:
        job = _get_job(session, job_uuid)
        _find_own_batch(session, actor, batch_uuid, job)
    plan = plan_corrections(db, job, items)
    if not plan.labels:
        return plan
    with db.write() as session:
        stale = (LabelBatch.kind == BatchKind.FOLDERS) & LabelBatch.finished_at.is_(None) & (LabelBatch.position == 0)
        change(session, delete(LabelBatch).where(stale, LabelBatch.created_at < db_now(-KEPT_S)))
        if _find_own_batch(session, actor, batch_uuid, job, lock=True) is None:
            session.add(
                LabelBatch(
                    uuid=batch_uuid,
                    job_id=job.id,
                    user_id=actor.user_id,
                    kind=BatchKind.FOLDERS,
                    wanted={"labels": [[one.image_id, one.label] for one in plan.labels]},
                    threshold_milli=job.threshold_milli,
                    is_whole=False,
                )
            )
    return plan


def apply_corrections(db: Database, actor: Actor, job_uuid: UUID, batch_uuid: UUID) -> LabelBatch:
    """Write the labels of a plan, but none where a person has labelled the picture since; repeating it is harmless.

    Killed in between, the next call writes the rest.

    Raises:
        NotFound: There is no such plan; it may have been too old.
        NotFound, Gone, Conflict, Forbidden: As `prepare_corrections`.
    """
    with db.read() as session:
        job = _get_job(session, job_uuid)
    while True:
        with db.write() as session:
            batch = _find_own_batch(session, actor, batch_uuid, job, lock=True)
            if batch is None:
                raise NotFound("These corrections are no longer kept. Import the folder or ZIP again.")
            if batch.finished_at is not None:
                return batch
            _write_slice(session, batch)
            if batch.finished_at is not None:
                details = {"kind": batch.kind, "n_labels": batch.n_labels, "batch": batch_uuid}
                record(session, actor, Action.LABELS_ADD, "job", job_uuid, **details)


def import_corrections(
    db: Database, actor: Actor, job_uuid: UUID, batch_uuid: UUID, items: Iterable[FolderItem]
) -> tuple[CorrectionPlan, LabelBatch | None]:
    """Plan and apply in one go; with the same id again, nothing is written twice.

    Returns:
        The plan, and the batch of labels; None when there were none to write.
    Raises:
        NotFound, Gone, Invalid, Conflict, Forbidden: As `prepare_corrections`.
    """
    plan = prepare_corrections(db, actor, job_uuid, batch_uuid, items)
    with db.read() as session:
        is_kept = _find_batch(session, batch_uuid, _get_job(session, job_uuid)) is not None
    return plan, apply_corrections(db, actor, job_uuid, batch_uuid) if is_kept else None


def get_applied(session: Session, job_uuid: UUID, batch_uuid: UUID) -> LabelBatch | None:
    """A batch that was applied and not undone; None if there is none."""
    try:
        batch = _find_batch(session, batch_uuid, _get_job(session, job_uuid))
    except Conflict:
        return None
    return batch if batch is not None and batch.finished_at is not None else None


def _get_job(session: Session, uuid: UUID) -> Job:
    job = jobs.get_job(session, uuid)
    if job.kind != JobKind.CLASSIFY:
        raise Invalid(f"job: expected one that classifies pictures; {uuid} does not.")
    return job


def _find_own_batch(session: Session, actor: Actor, uuid: UUID, job: Job, lock: bool = False) -> LabelBatch | None:
    batch = _find_batch(session, uuid, job, lock)
    if batch is not None:
        check_owner(actor, batch.user_id, f"batch {uuid}")
    return batch


def _find_batch(session: Session, uuid: UUID, job: Job, lock: bool = False) -> LabelBatch | None:
    query = select(LabelBatch).where(LabelBatch.uuid == uuid)
    batch = session.scalar(locked(query) if lock else query)
    if batch is not None and (batch.job_id, batch.kind) != (job.id, BatchKind.FOLDERS):
        raise IdTaken(f"Batch {uuid} exists and is a different batch. Choose a new id.")
    if batch is not None and session.scalar(select(LabelBatch.id).where(LabelBatch.undo_of_id == batch.id)):
        raise Conflict(f"Batch {uuid} was undone. Choose a new id to import the labels again.")
    return batch


def _write_slice(session: Session, batch: LabelBatch) -> None:
    planned = batch.wanted["labels"]
    some = dict(planned[batch.position : batch.position + SLICE])
    is_open = Image.id.in_(some) & ~was_labelled_since(Image, batch.created_at)
    contents = dict(session.execute(select(Image.id, Image.sha256).where(is_open)).all())
    rows = [
        _row(batch, image_id, contents[image_id], label) for image_id, label in some.items() if image_id in contents
    ]
    if rows:
        session.execute(insert(Label), rows)
    batch.position += len(some)
    batch.n_labels += len(rows)
    batch.n_skipped += len(some) - len(rows)
    if batch.position >= len(planned):
        batch.finished_at, batch.wanted = db_now(), {}
    session.flush()


def _row(batch: LabelBatch, image_id: int, sha256: bytes, label: str) -> dict[str, Any]:
    return {
        "sha256": sha256,
        "image_id": image_id,
        "label": label,
        "source": LabelSource.CORRECTION,
        "user_id": batch.user_id,
        "batch_id": batch.id,
    }
