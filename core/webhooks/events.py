"""What webhooks report. The names and fields are part of the public contract: docs/webhooks.md lists them.

Data holds ids, counts and links, and no names of people or files: receivers ask for the rest with a token.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from core.base.states import JobKind, JobState
from core.orm.jobs import Job
from core.orm.schedules import ScheduleRun
from core.webhooks import outbox

Data = dict[str, Any]


class Event(StrEnum):
    """A type of event."""

    JOB_DONE = "job.done"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    TRAINING_DONE = "training.done"
    TRAINING_FAILED = "training.failed"
    TRAINING_CANCELLED = "training.cancelled"
    VERSION_PROMOTED = "version.promoted"
    VERSION_ROLLED_BACK = "version.rolled_back"
    SCHEDULE_FAILED = "schedule.failed"
    TEST = "webhook.test"


SUBSCRIBABLE = tuple(event for event in Event if event != Event.TEST)
_WORDS = {JobKind.CLASSIFY: "job", JobKind.TRAIN: "training"}  # evaluations are steps of other work


def publish_job_end(session: Session, job: Job) -> None:
    """Report that a job has ended, in the transaction that ends it."""
    word = _WORDS.get(JobKind(job.kind))
    if word is None:
        return
    event = Event(f"{word}.{JobState(job.state)}")
    outbox.publish(session, event, lambda: _describe_job(job), owner_id=job.user_id)


def publish_deployment(session: Session, event: Event, version_id: int, instead_of: int | None) -> None:
    """Report which version is in use now. It concerns everybody."""
    data: Data = {"version": version_id, "instead_of": instead_of, "links": _link(f"models/{version_id}")}
    outbox.publish(session, event, lambda: data, concerns_everybody=True)


def publish_failed_run(session: Session, run: ScheduleRun, owner_id: int | None) -> None:
    """Report that a run of a schedule has failed."""
    path = f"schedules/{run.schedule_id}/runs/{run.id}"
    data: Data = {"schedule": run.schedule_id, "run": run.id, "links": _link(path)}
    outbox.publish(session, Event.SCHEDULE_FAILED, lambda: data, owner_id=owner_id)


def _describe_job(job: Job) -> Data:
    described: Data = {"job": str(job.uuid), "state": job.state, "version": job.model_version_id}
    if job.kind == JobKind.CLASSIFY:
        described["counts"] = {"total": job.n_total, "done": job.n_done, "failed": job.n_failed}
    return described | {"links": _link(f"jobs/{job.uuid}")}


def _link(path: str) -> dict[str, str]:
    """Paths; where PAWSORT_PUBLIC_URL is set, they are sent as whole addresses (core/webhooks/messages.py)."""
    return {"api": f"/api/v1/{path}", "page": f"/{path}"}
