"""Schedules: what is done again and again, and the one moment at which each comes due next.

    created, edited, resumed ─► next_run_at ─► a beat's tick: UPDATE … WHERE next_run_at is still that ─► a run

Several beats are harmless: the one whose UPDATE matches begins the run. What is missed while no beat ticks runs once,
late. A clock that is set back repeats nothing, since `next_run_at` only moves on. Who works on runs:
core/schedule_runs.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import cron, labelling_pace
from core.clock import db_now
from core.db import change, locked
from core.errors import Conflict, Gone, Invalid, NotFound
from core.orm_schedules import OPEN_RUN_STATES, RunState, Schedule, ScheduleKind, ScheduleRun
from core.paging import Page, decode_cursor, encode_cursor
from core.schedule_parameters import check_parameters

MAX_NAME = 200
LATE_S = 60.0
DEFAULT_ZONE = "UTC"
EDITABLE = ("name", "cron", "time_zone", "every_n_labels", "parameters", "is_on")


@dataclass(frozen=True)
class NewSchedule:
    """What somebody wants done: when a cron line comes due, or whenever so many new labels have come in."""

    name: str
    kind: str
    cron: str | None = None
    time_zone: str = DEFAULT_ZONE
    every_n_labels: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_on: bool = True


def create_schedule(
    session: Session, wanted: NewSchedule, roots: Sequence[str], user_id: int | None = None
) -> Schedule:
    """Create a schedule.

    Args:
        roots: The folders and bucket prefixes that the operator allows to be read.
    Raises:
        Invalid: Something is wrong with it; the text names what, and what was expected.
        Conflict: Another one has this name.
    """
    schedule = Schedule(user_id=user_id, parameters={}, next_run_at=None, label_mark=0)
    _fill(session, schedule, wanted, roots)
    session.add(schedule)
    session.flush()
    session.refresh(schedule)
    return schedule


def update_schedule(
    session: Session, schedule_id: int, changes: Mapping[str, Any], roots: Sequence[str], revision: int | None = None
) -> Schedule:
    """Change a schedule; the next run follows from now on what it says then.

    Args:
        changes: Some of `EDITABLE` by name.
        revision: The one that the caller has seen; without it, whatever is there is changed.
    Raises:
        NotFound, Gone: There is no such schedule.
        Conflict: Somebody else has changed it since, or another one has this name.
        Invalid: As `create_schedule`.
    """
    schedule = get_schedule(session, schedule_id, lock=True)
    if revision is not None and revision != schedule.revision:
        raise Conflict(f"Schedule {schedule_id} has been changed meanwhile (revision {schedule.revision}). Look again.")
    present = {name: getattr(schedule, name) for name in EDITABLE}
    _fill(session, schedule, NewSchedule(kind=schedule.kind, **(present | dict(changes))), roots)
    schedule.revision += 1
    session.flush()
    session.refresh(schedule)
    return schedule


def delete_schedule(session: Session, schedule_id: int) -> None:
    """Delete a schedule. Its runs stay readable; a job that it began goes on, but nothing is promoted any more.

    Raises:
        NotFound, Gone: There is no such schedule.
    """
    schedule = get_schedule(session, schedule_id, lock=True)
    schedule.deleted_at, schedule.next_run_at, schedule.is_on = db_now(), None, False
    schedule.revision += 1
    session.flush()
    still = (ScheduleRun.schedule_id == schedule_id) & ScheduleRun.state.in_(OPEN_RUN_STATES)
    outcome = "The schedule was deleted while this ran; what had begun goes on by itself."
    ended = {"state": RunState.SKIPPED, "outcome": outcome, "finished_at": db_now(), "lease_until": None}
    change(session, update(ScheduleRun).where(still).values(fence=ScheduleRun.fence + 1, **ended))


def get_schedule(session: Session, schedule_id: int, lock: bool = False) -> Schedule:
    """One schedule.

    Raises:
        NotFound: There never was one.
        Gone: It was deleted.
    """
    query = select(Schedule).where(Schedule.id == schedule_id)
    schedule = session.scalar(locked(query) if lock else query)
    if schedule is None:
        raise NotFound(f"There is no schedule {schedule_id}. GET /api/v1/schedules lists those there are.")
    if schedule.deleted_at is not None:
        raise Gone(f"Schedule {schedule_id} has been deleted.")
    return schedule


def list_schedules(session: Session, cursor: str | None = None, limit: int = 100) -> Page[Schedule]:
    """Schedules, newest first."""
    query = select(Schedule).where(Schedule.deleted_at.is_(None)).order_by(Schedule.id.desc())
    if cursor:
        query = query.where(Schedule.id < decode_cursor(cursor, int)[0])
    items = list(session.scalars(query.limit(limit + 1)))
    return Page(items[:limit], encode_cursor(items[limit - 1].id) if len(items) > limit else None)


def run_now(session: Session, schedule_id: int, user_id: int | None) -> ScheduleRun:
    """Begin a run because somebody says so; the next one comes due as before.

    Raises:
        NotFound, Gone: There is no such schedule.
        Conflict: Its last run has not ended yet.
    """
    schedule = get_schedule(session, schedule_id, lock=True)
    if (still := _find_open_run(session, schedule)) is not None:
        raise Conflict(
            f"The run of schedule {schedule.name!r} that began at {still.started_at:%Y-%m-%d %H:%M} UTC has not ended"
            " yet. Wait for it, or cancel its job."
        )
    run = _add_run(session, schedule, read_clock(session), user_id=user_id)
    if run is None:
        raise Conflict(f"Schedule {schedule.name!r} was started at this very moment. Look at its runs.")
    return run


def read_clock(session: Session) -> datetime:
    """The present moment by the database's clock."""
    now: datetime = session.scalars(select(db_now())).one()
    return now


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule that has come due: at which moment first, how often until now, and when next."""

    schedule_id: int
    due_at: datetime
    n_due: int
    next_run_at: datetime | None


def list_due(session: Session, now: datetime) -> list[Due]:
    """Schedules that have come due."""
    is_due = Schedule.is_on & Schedule.deleted_at.is_(None) & (Schedule.next_run_at <= now)
    found = []
    for schedule in session.scalars(select(Schedule).where(is_due).order_by(Schedule.id)):
        assert schedule.next_run_at is not None
        assert schedule.cron is not None
        n_due = cron.count_missed(schedule.cron, schedule.time_zone, schedule.next_run_at, now)
        following = cron.find_next(schedule.cron, schedule.time_zone, now)
        found.append(Due(schedule.id, schedule.next_run_at, n_due, following))
    return found


def begin_due(session: Session, due: Due, now: datetime) -> ScheduleRun | None:
    """Begin the run of a schedule that has come due, unless another beat has; one whose last run goes on is skipped."""
    still = (Schedule.id == due.schedule_id) & (Schedule.next_run_at == due.due_at) & Schedule.deleted_at.is_(None)
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
            f"Skipped: run {earlier.id}, which began at {earlier.started_at:%Y-%m-%d %H:%M} UTC, still goes on."
        )
        session.flush()
    return run


def list_by_labels(session: Session) -> list[int]:
    """Schedules that wait for labels and whose number has come in."""
    waits = Schedule.is_on & Schedule.deleted_at.is_(None) & Schedule.every_n_labels.is_not(None)
    return [one.id for one in session.scalars(select(Schedule).where(waits)) if _has_labels(session, one)]


def begin_by_labels(session: Session, schedule_id: int, now: datetime) -> ScheduleRun | None:
    """Begin the run of a schedule whose number of labels has come in; while its last run goes on, later."""
    schedule = session.scalar(locked(select(Schedule).where(Schedule.id == schedule_id, Schedule.is_on)))
    if schedule is None or schedule.deleted_at or not _has_labels(session, schedule):
        return None
    if _find_open_run(session, schedule) is not None:
        return None
    n_new = labelling_pace.count_new(session, schedule.label_mark, schedule.parameters.get("uploads"))
    schedule.label_mark = labelling_pace.newest_label(session)  # now, or a run that fails would come again at once
    run = _add_run(session, schedule, now)
    if run is not None:
        run.details = {"n_new_labels": n_new}
    return run


def _has_labels(session: Session, schedule: Schedule) -> bool:
    wanted = schedule.every_n_labels
    if wanted is None or labelling_pace.newest_label(session) - schedule.label_mark < wanted:
        return False
    return labelling_pace.count_new(session, schedule.label_mark, schedule.parameters.get("uploads")) >= wanted


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
    user_id: int | None = None,
) -> ScheduleRun | None:
    """A run for this moment; None when there is one already, as after an edit while the clock was set back."""
    run = ScheduleRun(
        schedule_id=schedule.id,
        due_at=due_at,
        n_due=n_due,
        is_late=is_late,
        user_id=user_id,
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
    return run


def _fill(session: Session, schedule: Schedule, wanted: NewSchedule, roots: Sequence[str]) -> None:
    """Put what is wanted into a row, checked; the next moment is looked for anew where it depends on a change."""
    name, kind = _check_name(session, wanted.name, schedule.id), _check_kind(wanted.kind)
    line = _check_when(wanted, kind)
    parameters = check_parameters(session, kind, wanted.parameters, roots)
    was = (schedule.cron, schedule.time_zone, schedule.is_on)
    schedule.name, schedule.kind, schedule.parameters = name, kind, parameters
    schedule.cron, schedule.time_zone, schedule.is_on = line, wanted.time_zone, wanted.is_on
    if wanted.every_n_labels is not None and schedule.every_n_labels is None:
        schedule.label_mark = labelling_pace.newest_label(session)
    schedule.every_n_labels = wanted.every_n_labels
    if was != (line, wanted.time_zone, wanted.is_on):
        is_timed = line is not None and wanted.is_on
        schedule.next_run_at = (
            cron.find_next(line, wanted.time_zone, read_clock(session)) if line and is_timed else None
        )


def _check_when(wanted: NewSchedule, kind: ScheduleKind) -> str | None:
    if (wanted.cron is None) == (wanted.every_n_labels is None):
        raise Invalid(
            "Expected either a cron line (`cron`) or, to train, a number of new labels (`every_n_labels`); got"
            f" {'neither' if wanted.cron is None else 'both'}."
        )
    if wanted.cron is not None:
        return cron.check_line(wanted.cron, wanted.time_zone)
    cron.check_zone(wanted.time_zone)
    if kind != ScheduleKind.RETRAIN:
        raise Invalid(f"every_n_labels: only a schedule that does retrain waits for labels; this one does {kind}.")
    n = wanted.every_n_labels
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n < 2**31:
        raise Invalid(f"every_n_labels: expected a whole number from 1 on; got {n!r}.")
    return None


def _check_kind(kind: str) -> ScheduleKind:
    try:
        return ScheduleKind(kind)
    except ValueError:
        raise Invalid(f"kind: expected one of {', '.join(ScheduleKind)}; got {kind!r}.") from None


def _check_name(session: Session, name: str, schedule_id: int | None) -> str:
    kept = name.strip()
    if not 0 < len(kept) <= MAX_NAME or not kept.isprintable():
        raise Invalid(f"name: expected 1 to {MAX_NAME} characters; got {name[:MAX_NAME]!r}.")
    same = select(Schedule.id).where(Schedule.name == kept, Schedule.deleted_at.is_(None))
    if session.scalar(same.where(Schedule.id != schedule_id) if schedule_id else same) is not None:
        raise Conflict(f"There is a schedule of the name {kept!r} already. Choose another name, or change that one.")
    return kept
