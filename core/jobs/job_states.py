"""The states of a job, and the only functions that end one.

A classify job: receiving ─► queued ─► running ─► done, and from each of the first three to cancelled or failed. A job
whose upload is still arriving stays `receiving` while its chunks run. It is finished by one conditional UPDATE
(`finish_job`), run by the process that ends its last chunk. Locks are taken in the order upload, job, chunk.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import JobHasEnded
from core.base.states import ACTIVE_STATES, JobKind, JobState
from core.jobs.jobs import get_own_job
from core.labels import folder_labels
from core.orm.jobs import Job
from core.orm.training import TrainingUpload
from core.orm.uploads import Upload
from core.webhooks import events


def upload_completed(session: Session, upload: Upload) -> None:
    """Jobs over an upload that is complete now: no longer receiving, perhaps already done."""
    still = (Job.upload_id == upload.id) & (Job.state == JobState.RECEIVING)
    job_ids = list(session.scalars(locked(select(Job.id).where(still).order_by(Job.id))))
    onward = case((Job.started_at.is_(None), JobState.QUEUED.value), else_=JobState.RUNNING.value)
    change(session, update(Job).where(Job.id.in_(job_ids)).values(state=onward, revision=Job.revision + 1))
    for job_id in job_ids:
        finish_job(session, job_id)


def finish_job(session: Session, job_id: int) -> bool:
    """End a classify job whose upload is complete and whose chunks are all done; the last process to finish runs it."""
    return end_job(session, job_id, JobState.DONE, None, _is_finished()) is not None


def list_finished_but_open(session: Session) -> list[int]:
    """Classify jobs that have all results but were not ended."""
    return list(session.scalars(select(Job.id).where(_is_finished(), Job.deleted_at.is_(None))))


def _is_finished() -> ColumnElement[bool]:
    arrived = (Job.kind == JobKind.CLASSIFY) & Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    return arrived & (Job.n_chunks_done == Job.n_chunks)


def fail_job(session: Session, job_id: int, sentence: str) -> None:
    """End an active job that cannot be carried out; its results so far stay."""
    end_job(session, job_id, JobState.FAILED, sentence)


def cancel_job(session: Session, actor: Actor, uuid: UUID) -> Job:
    """Stop an active job; what was classified stays. Workers see it at their next claim or record.

    Raises:
        Forbidden, NotFound, Gone: As `get_own_job`.
        Conflict: It has ended otherwise.
    """
    job = get_own_job(session, actor, uuid)
    if job.state == JobState.CANCELLED:
        return job
    cancelled = end_job(session, job.id, JobState.CANCELLED)
    if cancelled is None:
        raise JobHasEnded(f"Job {uuid} is {job.state} and can no longer be cancelled.")
    record(session, actor, Action.JOB_CANCEL, "job", uuid, name=job.name)
    return cancelled


def end_job(
    session: Session, job_id: int, state: JobState, error: str | None = None, *conditions: ColumnElement[bool]
) -> Job | None:
    """End an active job. Every job of every kind ends here, and nowhere else.

    The labels of a training that ends without a version stop counting. Webhooks get the event with the same commit.

    Args:
        state: How it ends: done, cancelled or failed.
        error: The sentence that a failed job shows.
        conditions: What else has to hold for the job's row at this moment.
    Returns:
        The job as it is now; None when it had ended before, or a condition does not hold.
    """
    ended = update(Job).where(Job.id == job_id, Job.state.in_(ACTIVE_STATES), *conditions)
    values = {"state": state, "error": error, "finished_at": db_now(), "revision": Job.revision + 1, "is_paused": False}
    options = {"synchronize_session": False, "populate_existing": True}
    job = session.scalars(ended.values(values).returning(Job), execution_options=options).one_or_none()
    if job is not None and job.kind == JobKind.TRAIN and state != JobState.DONE:
        folder_labels.stop_counting(session, _uploads_for(session, job))
    if job is not None:
        events.publish_job_end(session, job)
    return job


def _uploads_for(session: Session, training: Job) -> list[int]:
    """Uploads that came for this training, and that no other one works on or has made a version of."""
    uses = select(TrainingUpload.upload_id).join(Job, Job.id == TrainingUpload.job_id)
    others = uses.where(Job.id != training.id, Job.state.in_((*ACTIVE_STATES, JobState.DONE)))
    own = select(Upload.id).join(TrainingUpload, TrainingUpload.upload_id == Upload.id)
    mine = (TrainingUpload.job_id == training.id) & Upload.for_training
    return list(session.scalars(own.where(mine, Upload.id.not_in(others))))
