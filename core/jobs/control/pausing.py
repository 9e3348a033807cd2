"""Pausing jobs and whole queues, and letting a job go first: flags that claims look at, no states of their own.

What runs when a pause begins comes to its end: a chunk after seconds, a training at its next step (it resumes after its
last epoch). Uploads go on arriving.
"""

from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, Right, check_right
from core.base.errors import JobHasEnded
from core.base.states import ACTIVE_STATES
from core.jobs import jobs
from core.orm.jobs import Job


class Pause(StrEnum):
    """What is paused: one job, or everything."""

    JOB = "job"
    EVERYTHING = "everything"


class Priority(IntEnum):
    """Whether a job goes first, as `Job.priority` keeps it."""

    NORMAL = 0
    FIRST = 1  # of the jobs of its user: others are served in turn as before
    BEFORE_ALL = 2


def pause_job(session: Session, actor: Actor, uuid: UUID) -> Job:
    """Let workers claim nothing more of a job until it is resumed.

    Raises:
        NotFound, Gone: As `jobs.get_job`.
        Forbidden: It is somebody else's.
        Conflict: It has ended.
    """
    return _set_paused(session, actor, uuid, is_paused=True)


def resume_job(session: Session, actor: Actor, uuid: UUID) -> Job:
    """Let workers go on with a job. Send messages after the commit.

    Raises:
        NotFound, Gone, Forbidden, Conflict: As `pause_job`.
    """
    return _set_paused(session, actor, uuid, is_paused=False)


def _set_paused(session: Session, actor: Actor, uuid: UUID, *, is_paused: bool) -> Job:
    job = _get_active(session, actor, uuid, "paused or resumed")
    if job.is_paused != is_paused:
        job.is_paused = is_paused
        job.revision += 1
        session.flush()
        record(session, actor, Action.JOB_PAUSE if is_paused else Action.JOB_RESUME, "job", uuid, name=job.name)
    return job


def set_priority(session: Session, actor: Actor, uuid: UUID, priority: Priority) -> Job:
    """Let a job go first, or no longer.

    Raises:
        NotFound, Gone, Forbidden, Conflict: As `pause_job`; only admins let a job go before those of others.
    """
    job = _get_active(session, actor, uuid, "given a priority")
    if Priority.BEFORE_ALL in (priority, job.priority):
        check_right(actor, Right.OTHERS)
    if job.priority != priority:
        job.priority = priority
        job.revision += 1
        session.flush()
        record(session, actor, Action.JOB_PRIORITY, "job", uuid, name=job.name, priority=priority.name.lower())
    return job


def _get_active(session: Session, actor: Actor, uuid: UUID, what: str) -> Job:
    job = jobs.get_own_job(session, actor, uuid)
    if job.state not in ACTIVE_STATES:
        raise JobHasEnded(f"Job {uuid} is {job.state}, so it can no longer be {what}.")
    return job
