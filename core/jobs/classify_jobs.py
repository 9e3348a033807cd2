"""Creating jobs that classify an upload, and giving them the shards that arrive later."""

from uuid import UUID

from sqlalchemy import ColumnElement, Update, insert, select, update
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.database import change
from core.base.errors import IdTaken
from core.base.names import check_name
from core.base.states import ACTIVE_STATES, JobKind, JobState, UploadState
from core.jobs import job_states
from core.jobs.jobs import check_not_deleted, check_own, get_job, insert_job, to_milli
from core.models import registry
from core.orm.jobs import Chunk, Job
from core.orm.models import ModelVersion
from core.orm.uploads import Shard, Upload
from core.uploads import uploads


def create_classify_job(
    session: Session,
    actor: Actor,
    uuid: UUID,
    upload_uuid: UUID,
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
        The job, and the chunks to send messages for.
    Raises:
        Forbidden: The id is that of somebody else's job.
        NotFound, Gone, Conflict: No such upload or model; one of both ids was deleted; another job has the id; the
            upload's originals were discarded.
    """
    upload = uploads.get_upload(session, upload_uuid, lock=True)
    existing = session.scalar(select(Job).where(Job.uuid == uuid))
    if existing is not None:
        return _same_job(actor, existing, upload), []
    uploads.check_has_originals(upload)
    version = registry.find_version(session, model) if model else registry.current_version(session)
    job = Job(uuid=uuid, kind=JobKind.CLASSIFY, state=JobState.RECEIVING, user_id=actor.user_id, upload_id=upload.id)
    job.name = check_name(name or upload.name)
    job.model_version_id = registry.hold_version(session, version.id).id
    job.threshold_milli = _threshold_milli(threshold, default_threshold, version)
    if not insert_job(session, job):
        return _same_job(actor, get_job(session, uuid), upload), []
    chunk_ids = _add_chunks_of_upload(session, job, upload)
    if upload.state == UploadState.COMPLETE:
        job_states.upload_completed(session, upload)
    session.refresh(job)
    return job, chunk_ids


def _same_job(actor: Actor, job: Job, upload: Upload) -> Job:
    check_own(actor, check_not_deleted(job))
    if job.upload_id != upload.id:
        raise IdTaken(f"Job {job.uuid} exists and classifies another upload. Choose a new id.")
    return job


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
        The new chunks of active jobs, to send messages for after the commit.
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
