"""Jobs: reading, renaming and locking them. Counters change with the results (core/jobs/record_results.py)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, check_owner
from core.base.database import locked
from core.base.errors import Conflict, Gone, Invalid, NotFound
from core.base.names import check_name
from core.jobs.listing import tags as job_tags
from core.orm.jobs import Job
from core.orm.training import TrainingUpload
from core.orm.uploads import Upload


def insert_job(session: Session, job: Job) -> bool:
    """Add a job; False when its id was used for another one at this very moment."""
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        return False
    return True


def to_milli(threshold: float) -> int:
    """A threshold from 0 to 1 as thousandths.

    Raises:
        Invalid: It is out of range.
    """
    if not 0.0 <= threshold <= 1.0:
        raise Invalid(f"threshold: expected a number from 0 to 1, got {threshold}.")
    return round(threshold * 1000)


def get_job(session: Session, uuid: UUID, lock: bool = False) -> Job:
    """A job by the id its caller chose.

    Raises:
        NotFound: There never was one.
        Gone: It was deleted.
    """
    query = select(Job).where(Job.uuid == uuid)
    job = session.scalar(locked(query) if lock else query)
    if job is None:
        raise NotFound(f"There is no job {uuid}. GET /api/v1/jobs lists those there are.")
    return check_not_deleted(job)


def get_own_job(session: Session, actor: Actor, uuid: UUID) -> Job:
    """A job that the actor may change, locked.

    Raises:
        Forbidden: It is somebody else's.
        NotFound, Gone: As `get_job`.
    """
    return check_own(actor, get_job(session, uuid, lock=True))


def check_own(actor: Actor, job: Job) -> Job:
    """The job.

    Raises:
        Forbidden: It is somebody else's, and the actor is no admin.
    """
    check_owner(actor, job.user_id, f"job {job.uuid}")
    return job


def check_not_deleted(job: Job) -> Job:
    """The job.

    Raises:
        Gone: It was deleted.
    """
    if job.deleted_at is not None:
        raise Gone(f"Job {job.uuid} has been deleted; its id is not used again.")
    return job


def update_job(
    session: Session,
    actor: Actor,
    uuid: UUID,
    name: str | None = None,
    threshold: float | None = None,
    tags: Iterable[str] | None = None,
) -> Job:
    """Rename a job, move its threshold or give it other tags; no model runs again.

    Raises:
        Forbidden: It is somebody else's job.
        NotFound, Gone, Invalid: As `get_job`, `check_name`, `to_milli`, `check_tags`.
    """
    job = get_own_job(session, actor, uuid)
    if name is not None:
        job.name = check_name(name)
    if threshold is not None:
        _move_threshold(session, actor, job, to_milli(threshold))
    if tags is not None:
        job_tags.set_tags(session, job, tags)
    job.revision += 1
    return job


def _move_threshold(session: Session, actor: Actor, job: Job, milli: int) -> None:
    """Move the threshold, which changes what everybody sees and exports, and so is on record."""
    before, job.threshold_milli = job.threshold_milli, milli
    if milli != before:
        record(session, actor, Action.JOB_THRESHOLD, "job", job.uuid, threshold=milli / 1000, before=before / 1000)


def lock_with_uploads(session: Session, uuid: UUID) -> tuple[Job, list[Upload]]:
    """A job and its uploads, for changes that depend on both: nothing arrives, completes or is deleted in between."""
    job = get_job(session, uuid)
    uploads_ = list(session.scalars(locked(uploads_of(job))))
    return get_job(session, uuid, lock=True), uploads_


def get_upload_of(session: Session, job: Job) -> Upload:
    """The upload that a job classifies.

    Raises:
        Conflict: It is a job of another kind.
    """
    upload = session.get(Upload, job.upload_id) if job.upload_id is not None else None
    if upload is None:
        raise Conflict(f"Job {job.uuid} classifies nothing: its kind is {job.kind}.")
    return upload


def uploads_of(job: Job) -> Select[Upload]:
    """The upload that a job classifies, or those that it trains on."""
    trained_on = select(TrainingUpload.upload_id).where(TrainingUpload.job_id == job.id)
    return select(Upload).where((Upload.id == job.upload_id) | Upload.id.in_(trained_on)).order_by(Upload.id)
