"""Creating runs: exactly one for each due time, however many ticks there are and whatever their clocks show.

    due ─► UPDATE … WHERE next_run_at is still that moment ─► a run, waiting │ skipped, while the last one is running

Several beats are harmless: the one whose UPDATE matches begins the run. What is missed while no beat ticks runs once,
late. A clock that is set back repeats nothing, since `next_run_at` only moves on and a moment has one run at most.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, Right, check_right
from core.base import cron
from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import Conflict
from core.base.states import OPEN_RUN_STATES, RunState
from core.labels import counts
from core.orm.schedules import Schedule, ScheduleRun
from core.schedules import schedules

LATE_S = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule that is due: since when, how many due times until now, and the next one."""

    schedule_id: int
    revision: int
    due_at: datetime
    n_due: int
    next_run_at: datetime | None


def list_due(session: Session, now: datetime) -> list[DueSchedule]:
    """Schedules that are due; one that can no longer be read keeps no other from running."""
    is_due = Schedule.is_on & Schedule.deleted_at.is_(None) & (Schedule.next_run_at <= now)
    due = []
    for schedule in session.scalars(select(Schedule).where(is_due).order_by(Schedule.id)):
        try:
            due.append(_look_at(schedule, now))
        except Exception:  # a time zone that this machine no longer knows, or anything else that a row may hold
            log.exception("schedule_unreadable", schedule_id=schedule.id)
    return due


def _look_at(schedule: Schedule, now: datetime) -> DueSchedule:
    line, zone, due_at = schedule.cron, schedule.time_zone, schedule.next_run_at
    assert line is not None
    assert due_at is not None
    n_due, following = cron.count_missed(line, zone, due_at, now), cron.find_next(line, zone, now)
    return DueSchedule(schedule.id, schedule.revision, due_at, n_due, following)


def begin_due(session: Session, due: DueSchedule, now: datetime) -> ScheduleRun | None:
    """Create the run of a due schedule, unless another tick has; it is skipped while the last one is running.

    One that was edited since it was looked at is looked at again with the next tick.
    """
    still = (Schedule.id == due.schedule_id) & (Schedule.next_run_at == due.due_at)
    still &= (Schedule.revision == due.revision) & Schedule.deleted_at.is_(None)
    if change(session, update(Schedule).where(still, Schedule.is_on).values(next_run_at=due.next_run_at)) != 1:
        return None
    schedule = session.get_one(Schedule, due.schedule_id)
    is_late = due.n_due > 1 or (now - due.due_at).total_seconds() > LATE_S
    run = _add_run(session, schedule, due.due_at, due.n_due, is_late)
    if run is None:
        return None
    if (earlier := _find_open_run(session, schedule, but=run)) is not None:
        run.state, run.finished_at = RunState.SKIPPED, db_now()
        run.outcome = (
            f"Skipped: run {earlier.id}, which began at {earlier.started_at:%Y-%m-%d %H:%M} UTC, is still running."
        )
        session.flush()
    return run


def list_by_labels(session: Session) -> list[int]:
    """Schedules that wait for labels and whose number has come in."""
    waits = Schedule.is_on & Schedule.deleted_at.is_(None) & Schedule.every_n_labels.is_not(None)
    return [one.id for one in session.scalars(select(Schedule).where(waits)) if _has_labels(session, one)]


def begin_by_labels(session: Session, schedule_id: int, now: datetime) -> ScheduleRun | None:
    """Create the run of a schedule that has enough new labels; while its last run is running, later."""
    schedule = session.scalar(locked(select(Schedule).where(Schedule.id == schedule_id, Schedule.is_on)))
    if schedule is None or schedule.deleted_at or not _has_labels(session, schedule):
        return None
    if _find_open_run(session, schedule) is not None:
        return None
    n_new = counts.count_new(session, schedule.label_mark, schedule.parameters.get("uploads"))
    schedule.label_mark = counts.newest_label(session)  # now, or a run that fails would come again at once
    run = _add_run(session, schedule, now)
    if run is not None:
        run.details = {"n_new_labels": n_new}
    return run


def _has_labels(session: Session, schedule: Schedule) -> bool:
    n_labels = schedule.every_n_labels
    if n_labels is None or counts.newest_label(session) - schedule.label_mark < n_labels:
        return False
    return counts.count_new(session, schedule.label_mark, schedule.parameters.get("uploads")) >= n_labels


def _find_open_run(session: Session, schedule: Schedule, but: ScheduleRun | None = None) -> ScheduleRun | None:
    still = (ScheduleRun.schedule_id == schedule.id) & ScheduleRun.state.in_(OPEN_RUN_STATES)
    query = select(ScheduleRun).where(still).order_by(ScheduleRun.id)
    return session.scalar((query if but is None else query.where(ScheduleRun.id != but.id)).limit(1))


def _add_run(
    session: Session,
    schedule: Schedule,
    due_at: datetime,
    n_due: int = 1,
    is_late: bool = False,
    actor: Actor | None = None,
) -> ScheduleRun | None:
    """A run for this moment; None when there is one already, as after an edit while the clock was set back."""
    run = ScheduleRun(
        schedule_id=schedule.id,
        due_at=due_at,
        n_due=n_due,
        is_late=is_late,
        user_id=actor.user_id if actor else None,
        parameters=schedule.parameters,
        state=RunState.WAITING,
        work_uuid=uuid4(),
    )
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:
        return None
    session.refresh(run)
    record(session, actor, Action.SCHEDULE_RUN, "schedule", schedule.id, name=schedule.name, run=run.id)
    return run


def run_now(session: Session, actor: Actor, schedule_id: int) -> ScheduleRun:
    """Create a run on request, which acts as this person; the next one is due as before.

    Raises:
        Forbidden: The actor may not run schedules.
        NotFound, Gone: There is no such schedule.
        Conflict: Its last run has not ended yet.
    """
    check_right(actor, Right.SCHEDULES)
    schedule = schedules.get_schedule(session, schedule_id, lock=True)
    if (still := _find_open_run(session, schedule)) is not None:
        raise Conflict(
            f"The run of schedule {schedule.name!r} that began at {still.started_at:%Y-%m-%d %H:%M} UTC has not ended"
            " yet. Wait for it, or cancel its job."
        )
    run = _add_run(session, schedule, schedules.read_clock(session), actor=actor)
    if run is None:
        raise Conflict(f"Schedule {schedule.name!r} was started a moment ago. See its runs.")
    return run
