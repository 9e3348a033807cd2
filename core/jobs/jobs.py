"""Jobs: what somebody waits for. Counters and states change here and, with the results, in core/jobs/results.py.

States of a classify job: receiving ─► queued ─► running ─► done, and from each of the first three to cancelled or
failed. A job whose upload is still arriving stays `receiving` while its chunks run. It is finished by one conditional
UPDATE (`finish_job`), run by whoever comes last. Locks are taken in the order upload, job, chunk.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, case, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import Conflict, Gone, Invalid, NotFound
from core.base.names import check_name
from core.base.paging import Page, page_newest_first
from core.base.states import ACTIVE_STATES, JobKind, JobState, UploadState
from core.jobs.filters import EVERY_JOB, JobFilter
from core.models import registry
from core.orm.jobs import Chunk, Job
from core.orm.models import ModelVersion
from core.orm.training import TrainingUpload
from core.orm.uploads import Shard, Upload
from core.uploads import uploads


def create_classify_job(
    session: Session,
    uuid: UUID,
    upload_uuid: UUID,
    user_id: int | None = None,
    model: str | None = None,
    threshold: float | None = None,
    name: str | None = None,
    default_threshold: float | None = None,
) -> tuple[Job, list[int]]:
    """Classify an upload, still arriving or complete. Repeating it under the same id is harmless.

    Args:
        uuid: The caller's id for the job.
        model: A version's number or a network's name; the version in use when not given.
        threshold: Below this confidence an image is shown as unsure, 0 to 1; else `default_threshold`, else the
            version's own.
    Returns:
        The job, and the chunks to ring for.
    Raises:
        NotFound, Gone, Conflict: No such upload or model; one of both ids was deleted; another job has the id; the
            upload's originals were discarded.
    """
    upload = uploads.get_upload(session, upload_uuid, lock=True)
    existing = session.scalar(select(Job).where(Job.uuid == uuid))
    if existing is not None:
        return _same_job(existing, upload), []
    uploads.check_has_originals(upload)
    version = registry.find_version(session, model) if model else registry.current_version(session)
    job = Job(
        uuid=uuid,
        kind=JobKind.CLASSIFY,
        name=check_name(name or upload.name),
        state=JobState.RECEIVING,
        user_id=user_id,
        upload_id=upload.id,
        model_version_id=registry.hold_version(session, version.id).id,
        threshold_milli=_threshold_milli(threshold, default_threshold, version),
    )
    if not insert_job(session, job):
        return _same_job(get_job(session, uuid), upload), []
    chunk_ids = _add_chunks_of_upload(session, job, upload)
    if upload.state == UploadState.COMPLETE:
        upload_completed(session, upload)
    session.refresh(job)
    return job, chunk_ids


def insert_job(session: Session, job: Job) -> bool:
    """Add a job; False when its id was used for another one at this very moment."""
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:
        return False
    return True


def _same_job(job: Job, upload: Upload) -> Job:
    _alive(job)
    if job.upload_id != upload.id:
        raise Conflict(f"Job {job.uuid} exists and classifies another upload. Choose a new id for this one.")
    return job


def to_milli(threshold: float) -> int:
    """A threshold from 0 to 1 as thousandths.

    Raises:
        Invalid: It is out of range.
    """
    if not 0.0 <= threshold <= 1.0:
        raise Invalid(f"threshold: expected a number from 0 to 1, got {threshold}.")
    return round(threshold * 1000)


def _threshold_milli(wanted: float | None, default: float | None, version: ModelVersion) -> int:
    for candidate in (wanted, default):
        if candidate is not None:
            return to_milli(candidate)
    return to_milli(float(version.manifest["threshold"]))


def _add_chunks_of_upload(session: Session, job: Job, upload: Upload) -> list[int]:
    shards = session.execute(
        select(Shard.id, Shard.n_images).where(Shard.upload_id == upload.id, Shard.n_images > 0).order_by(Shard.seq)
    ).all()
    rows = [{"job_id": job.id, "shard_id": shard_id} for shard_id, _ in shards]
    if not rows:
        return []
    chunk_ids = list(session.scalars(insert(Chunk).returning(Chunk.id, sort_by_parameter_order=True), rows))
    change(session, _grow(Job.id == job.id, len(rows), sum(n_images for _, n_images in shards)))
    return chunk_ids


def add_chunks(session: Session, upload: Upload, shard: Shard) -> list[int]:
    """Add a newly arrived shard to every job over its upload. The caller holds the upload's lock.

    A cancelled job gets its chunk too, so that `retry_job` finds everything; no worker claims it before.

    Returns:
        The new chunks of active jobs, to be rung for after the commit.
    """
    if shard.n_images == 0:
        return []
    over_upload = (Job.upload_id == upload.id) & Job.deleted_at.is_(None)
    grown = _grow(over_upload, 1, shard.n_images).returning(Job.id, Job.state)
    states = dict(session.execute(grown.execution_options(synchronize_session=False)).all())
    if not states:
        return []
    rows = [{"job_id": job_id, "shard_id": shard.id} for job_id in states]
    added = session.execute(insert(Chunk).returning(Chunk.id, Chunk.job_id), rows).all()
    return [chunk_id for chunk_id, job_id in added if states[job_id] in ACTIVE_STATES]


def _grow(which: ColumnElement[bool], n_chunks: int, n_images: int) -> Update:
    return (
        update(Job)
        .where(which)
        .values(n_chunks=Job.n_chunks + n_chunks, n_total=Job.n_total + n_images, revision=Job.revision + 1)
    )


def upload_completed(session: Session, upload: Upload) -> None:
    """Jobs over an upload that is complete now: no longer receiving, perhaps already done."""
    still = (Job.upload_id == upload.id) & (Job.state == JobState.RECEIVING)
    job_ids = list(session.scalars(locked(select(Job.id).where(still).order_by(Job.id))))
    onward = case((Job.started_at.is_(None), JobState.QUEUED.value), else_=JobState.RUNNING.value)
    change(session, update(Job).where(Job.id.in_(job_ids)).values(state=onward, revision=Job.revision + 1))
    for job_id in job_ids:
        finish_job(session, job_id)


def finish_job(session: Session, job_id: int) -> bool:
    """End a classify job whose upload is complete and whose chunks are all done; run by whoever comes last."""
    return end_job(session, job_id, JobState.DONE, None, _is_finished()) is not None


def list_finished_but_open(session: Session) -> list[int]:
    """Classify jobs that nobody ended although everything is there."""
    return list(session.scalars(select(Job.id).where(_is_finished(), Job.deleted_at.is_(None))))


def _is_finished() -> ColumnElement[bool]:
    arrived = (Job.kind == JobKind.CLASSIFY) & Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    return arrived & (Job.n_chunks_done == Job.n_chunks)


def fail_job(session: Session, job_id: int, sentence: str) -> None:
    """End an active job that cannot be carried out; its results so far stay."""
    end_job(session, job_id, JobState.FAILED, sentence)


def end_job(
    session: Session, job_id: int, state: JobState, error: str | None = None, *conditions: ColumnElement[bool]
) -> Job | None:
    """End an active job. Every job of every kind ends here, and nowhere else.

    Args:
        state: How it ends: done, cancelled or failed.
        error: The sentence that a failed job shows.
        conditions: What else has to hold for the job's row at this moment.
    Returns:
        The job as it is now; None when it had ended before, or a condition does not hold.
    """
    ended = update(Job).where(Job.id == job_id, Job.state.in_(ACTIVE_STATES), *conditions)
    values = {"state": state, "error": error, "finished_at": db_now(), "revision": Job.revision + 1}
    options = {"synchronize_session": False, "populate_existing": True}
    return session.scalars(ended.values(values).returning(Job), execution_options=options).one_or_none()


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
    return _alive(job)


def _alive(job: Job) -> Job:
    if job.deleted_at is not None:
        raise Gone(f"Job {job.uuid} has been deleted; its id is not used again.")
    return job


def list_jobs(
    session: Session, cursor: str | None = None, limit: int = 100, wanted: JobFilter = EVERY_JOB
) -> Page[Job]:
    """Jobs, newest first."""
    query = select(Job).where(Job.deleted_at.is_(None), *wanted.conditions())
    return page_newest_first(session, query, Job.id, cursor, limit)


def update_job(session: Session, uuid: UUID, name: str | None = None, threshold: float | None = None) -> Job:
    """Rename a job or move its threshold; no model runs again.

    Raises:
        NotFound, Gone, Invalid: As `get_job`, `check_name`, `to_milli`.
    """
    job = get_job(session, uuid, lock=True)
    if name is not None:
        job.name = check_name(name)
    if threshold is not None:
        job.threshold_milli = to_milli(threshold)
    job.revision += 1
    return job


def cancel_job(session: Session, uuid: UUID) -> Job:
    """Stop an active job; what was classified stays. Workers see it at their next claim or record.

    Raises:
        NotFound, Gone: As `get_job`.
        Conflict: It has ended otherwise.
    """
    job = get_job(session, uuid, lock=True)
    if job.state == JobState.CANCELLED:
        return job
    cancelled = end_job(session, job.id, JobState.CANCELLED)
    if cancelled is None:
        raise Conflict(f"Job {uuid} is {job.state} and can no longer be cancelled.")
    return cancelled


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
