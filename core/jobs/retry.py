"""Retry a job: classify its failed files again, or continue it if it was cancelled or failed."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base import leases
from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import Conflict, JobNotEnded
from core.base.states import ACTIVE_STATES, ChunkState, JobKind, JobState, UploadState
from core.jobs import job_states, jobs
from core.labels import folder_labels
from core.models import registry
from core.orm.jobs import Chunk, Job
from core.orm.results import Result
from core.orm.training import Training
from core.orm.uploads import Image, Upload
from core.uploads import uploads

ATTEMPTS_KEPT = 2  # the next claim is the third: suspects stay suspects, but have all other attempts before them


def retry_job(session: Session, actor: Actor, uuid: UUID) -> tuple[Job, list[int]]:
    """Classify failed files again, and continue a cancelled or failed job.

    A training continues after its last finished epoch, an evaluation starts again; the reconciler requeues both.

    A chunk classifies the images of its shard that have no result, so error results are taken away and their chunks
    made ready again.

    Returns:
        The job, and the chunks to send messages for.
    Raises:
        Forbidden: It is somebody else's job.
        Conflict: The job has not ended yet, or its upload's originals were discarded.
        Gone: Its version has been deleted.
    """
    job, uploads_ = jobs.lock_with_uploads(session, uuid)
    jobs.check_own(actor, job)
    if job.state in ACTIVE_STATES:
        raise JobNotEnded(f"Job {uuid} is {job.state}. Wait until it has ended, or cancel it first.")
    record(session, actor, Action.JOB_RETRY, "job", uuid, name=job.name, state=job.state)
    if job.kind != JobKind.CLASSIFY:
        _resume_training(session, job)
        folder_labels.start_counting(session, actor, [upload for upload in uploads_ if upload.for_training])
        return job, []
    for upload in uploads_:
        uploads.check_has_originals(upload)
    if job.model_version_id is not None:
        registry.hold_version(session, job.model_version_id)
    failed = (Result.job_id == job.id) & Result.error_code.is_not(None)
    _reopen_chunks(session, job, failed)
    deleted = change(session, delete(Result).where(failed))
    job.n_failed -= deleted
    job.n_chunks_done = _n_chunks_done(session, job)
    is_arriving = any(upload.state == UploadState.RECEIVING for upload in uploads_)
    job.state = JobState.RECEIVING if is_arriving else JobState.RUNNING
    job.finished_at, job.error, job.moved_at = None, None, db_now()
    job.revision += 1
    job.n_retries += 1
    session.flush()
    chunk_ids = list(session.scalars(select(Chunk.id).where(Chunk.job_id == job.id, Chunk.state == ChunkState.READY)))
    job_states.finish_job(session, job.id)
    session.refresh(job)
    return job, chunk_ids


def _resume_training(session: Session, job: Job) -> None:
    if job.state == JobState.DONE:
        came = (
            f"it produced version {job.model_version_id}" if job.kind == JobKind.TRAIN else "its version is evaluated"
        )
        raise Conflict(f"Job {job.uuid} is done: {came}. Start another one.")
    training = session.scalars(locked(select(Training).where(Training.job_id == job.id))).one()
    needed = training.parameters.get("start_from") if job.kind == JobKind.TRAIN else job.model_version_id
    if needed is not None:
        registry.hold_version(session, needed)
    job.state = JobState.QUEUED
    job.finished_at, job.error, job.moved_at = None, None, db_now()
    job.revision += 1
    leases.revoke(training)
    training.attempts, training.furthest, training.ready_at, training.keeps_best = 0, 0, None, False
    session.flush()


def _reopen_chunks(session: Session, job: Job, failed: ColumnElement[bool]) -> None:
    shards_with_failures = select(Image.shard_id).join(Result, Result.image_id == Image.id).where(failed)
    reopened = (Chunk.state == ChunkState.RUNNING) | Chunk.shard_id.in_(shards_with_failures)
    of_job = Chunk.job_id == job.id
    values = {"state": ChunkState.READY, "error": None, "is_slow": False, **leases.revoke_values(Chunk)}
    change(session, update(Chunk).where(of_job, reopened).values(values))
    change(session, update(Chunk).where(of_job, Chunk.state == ChunkState.READY).values(ready_at=db_now()))
    change(session, update(Upload).where(Upload.id == job.upload_id).values(slow_decode_s=0.0))
    tired = (Chunk.state == ChunkState.READY) & (Chunk.attempts > ATTEMPTS_KEPT)
    change(session, update(Chunk).where(of_job, tired).values(attempts=ATTEMPTS_KEPT))


def _n_chunks_done(session: Session, job: Job) -> int:
    done = select(func.count()).where(Chunk.job_id == job.id, Chunk.state == ChunkState.DONE)
    return session.scalars(done).one()
