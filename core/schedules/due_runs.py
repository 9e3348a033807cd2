"""Creating runs: exactly one for each due time, however many ticks there are and whatever their clocks show.

    due ─► UPDATE … WHERE next_run_at is still that moment ─► a run, waiting │ skipped, while the last one is running

Several beats are harmless: the one whose UPDATE matches begins the run. What is missed while no beat ticks runs once,
late. After a clock is set back, `next_run_at` follows it. A moment has one run at most, so what ran is not repeated. A
schedule whose newest run lies minutes ahead of the clock runs all the same, or it would stand still for as long as the
clock was wrong.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from sqlalchemy import func, select, update
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
AHEAD_S = 300.0  # a run further ahead than this was made by a clock that was wrong

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


@dataclass(frozen=True, slots=True)
class AheadSchedule:
    """A schedule whose next run lies further ahead than the clock says, and when it would come due by the clock."""

    schedule_id: int
    next_run_at: datetime
    following: datetime


def list_ahead(session: Session, now: datetime) -> list[AheadSchedule]:
    """Schedules that wait for a moment of a clock that was set back since."""
    waits = Schedule.is_on & Schedule.deleted_at.is_(None) & (Schedule.next_run_at > now)
    query = select(Schedule.id, Schedule.cron, Schedule.time_zone, Schedule.next_run_at).where(waits)
    ahead = []
    for schedule_id, line, zone, next_run_at in session.execute(query):
        following = _find_next(line, zone, now)
        if next_run_at is not None and following is not None and (next_run_at - following).total_seconds() > AHEAD_S:
            ahead.append(AheadSchedule(schedule_id, next_run_at, following))
    return ahead


def _find_next(line: str | None, zone: str, now: datetime) -> datetime | None:
    try:
        return cron.find_next(line, zone, now) if line is not None else None
    except Exception:  # as for those that are due
        log.exception("schedule_unreadable", line=line, zone=zone)
        return None


def follow_clock(session: Session, ahead: AheadSchedule) -> None:
    """Let a schedule come due by the clock as it is now."""
    still = (Schedule.id == ahead.schedule_id) & (Schedule.next_run_at == ahead.next_run_at)
    if change(session, update(Schedule).where(still, Schedule.is_on).values(next_run_at=ahead.following)):
        log.info("schedule_follows_clock", schedule_id=ahead.schedule_id, next_run_at=str(ahead.following))


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
    if run is None and _is_newest_ahead(session, schedule, now):
        run = _add_run(session, schedule, now + timedelta(microseconds=1), due.n_due, is_late)
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


def _is_newest_ahead(session: Session, schedule: Schedule, now: datetime) -> bool:
    newest = session.scalar(select(func.max(ScheduleRun.due_at)).where(ScheduleRun.schedule_id == schedule.id))
    return newest is not None and (newest - now).total_seconds() > AHEAD_S


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
