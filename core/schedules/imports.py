"""Imports: a folder or bucket prefix that this server may read, classified once, without a schedule that repeats it.

    create_import ─► upload, job, a schedule that never comes due, its only run ─► worker/schedules/classify_new.py

The run is worked on like any other: in slices, each file once, resumed after a kill. The schedule is hidden, and
deleted when its run has ended.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, Right, check_right
from core.base.clock import db_now
from core.base.database import change
from core.base.errors import Gone, IdTaken
from core.base.names import MAX_SHORT_NAME, shorten_name
from core.base.states import RunState, ScheduleKind
from core.ingest import shard_rows
from core.jobs import classify_jobs, job_states, jobs
from core.orm.jobs import Job
from core.orm.schedules import Schedule, ScheduleRun
from core.orm.uploads import Upload
from core.schedules.parameters import check_parameters
from core.schedules.schedules import DEFAULT_ZONE
from core.storage.allowed_roots import name_of_source
from core.uploads import uploads


@dataclass(frozen=True)
class NewImport:
    """A folder or bucket prefix to classify.

    Attributes:
        labelled: Whether the names of its folders are labels.
    """

    source: str
    model: str | None = None
    threshold: float | None = None
    labelled: bool = False


def create_import(
    session: Session,
    actor: Actor,
    uuid: UUID,
    new: NewImport,
    roots: Sequence[str],
    name: str | None = None,
    default_threshold: float | None = None,
) -> Job:
    """Create a job over what lies below a source; maintenance workers take the files in. Repeating it is harmless.

    Args:
        uuid: The caller's id for the job and its upload.
        roots: The folders and bucket prefixes that the operator allows to be read.
        name: Of the job; else that of the source's own folder.
        default_threshold: As for `create_classify_job`.
    Raises:
        Forbidden: The actor may not let the server read folders, which schedules do, too.
        Invalid: A sentence for each wrong value; the source is outside of the roots, or does not exist.
        Conflict, Gone: The id is that of something else, or was deleted.
    """
    check_right(actor, Right.SCHEDULES)
    parameters = check_parameters(session, ScheduleKind.CLASSIFY, asdict(new), roots)
    name = name or name_of_source(parameters["source"])
    if (run := _create_upload(session, actor, uuid, name, new.labelled)) is not None:
        if run.parameters != parameters:
            raise IdTaken(f"Job {uuid} exists and imports something else. Choose a new id.")
        return jobs.check_own(actor, jobs.get_job(session, uuid))
    made = {"model": parameters["model"], "threshold": new.threshold, "default_threshold": default_threshold}
    job, _ = classify_jobs.create_classify_job(session, actor, uuid, uuid, name=name, **made)
    schedule = _hidden_schedule(actor, name, parameters)
    session.add(schedule)
    session.flush()
    session.add(_first_run(session, actor, schedule, job))
    record(session, actor, Action.IMPORT_CREATE, "job", uuid, source=parameters["source"])
    session.flush()
    return job


def _hidden_schedule(actor: Actor, name: str, parameters: dict[str, Any]) -> Schedule:
    return Schedule(
        name=shorten_name(name, MAX_SHORT_NAME),
        kind=ScheduleKind.CLASSIFY,
        time_zone=DEFAULT_ZONE,
        parameters=parameters,
        is_on=False,
        user_id=actor.user_id,
    )


def _create_upload(session: Session, actor: Actor, uuid: UUID, name: str, labelled: bool) -> ScheduleRun | None:
    """Create the upload of an import; returns the run of an earlier request with the same id, if there was one."""
    is_used = session.scalar(select(Upload.id).where(Upload.uuid == uuid)) is not None
    if not is_used:
        uploads.create_upload(session, actor, uuid, name, labelled)  # waits for a request of this very moment
    run = session.scalar(select(ScheduleRun).where(ScheduleRun.work_uuid == uuid))
    if is_used and run is None:
        raise IdTaken(f"Upload {uuid} exists and is no import. Choose a new id.")
    return run


def _first_run(session: Session, actor: Actor, schedule: Schedule, job: Job) -> ScheduleRun:
    now = session.scalars(select(db_now())).one()
    run = ScheduleRun(schedule_id=schedule.id, due_at=now, user_id=actor.user_id, parameters=schedule.parameters)
    run.state, run.work_uuid, run.job_id = RunState.WAITING, job.uuid, job.id
    return run


def end_import(session: Session, schedule_id: int) -> None:
    """Forget which files an import has taken in: its run has ended."""
    change(session, update(Schedule).where(Schedule.id == schedule_id).values(deleted_at=db_now()))


def fail_import(session: Session, schedule_id: int, sentence: str) -> None:
    """Fail the job of an import that takes in nothing; the caller ends the run after that, in the order of locks."""
    uuid = session.scalars(select(ScheduleRun.work_uuid).where(ScheduleRun.schedule_id == schedule_id)).one()
    with suppress(Gone):  # deleted by its owner
        uploads.get_upload(session, uuid, lock=True)
        job_states.fail_job(session, jobs.get_job(session, uuid).id, sentence)
        shard_rows.complete_silent(session, uuid)
    end_import(session, schedule_id)
