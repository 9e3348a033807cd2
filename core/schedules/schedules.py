"""Schedules: what is done again and again, and the one moment at which each comes due next.

    created, edited, resumed ─► checked ─► next_run_at

What happens at that moment: core/schedules/due_runs.py; who works on runs: core/schedules/runs.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, Right, check_right
from core.base import cron, leases
from core.base.clock import db_now
from core.base.database import change, locked
from core.base.errors import EditConflict, Gone, Invalid, NameTaken, NotFound
from core.base.names import MAX_SHORT_NAME, check_name
from core.base.paging import Page, page_newest_first
from core.base.states import OPEN_RUN_STATES, RunState, ScheduleKind
from core.ingest import shard_rows
from core.labels import counts
from core.orm.schedules import Schedule, ScheduleRun
from core.orm.uploads import Upload
from core.schedules.parameters import check_parameters

DEFAULT_ZONE = "UTC"
_REPEATS = Schedule.cron.is_not(None) | Schedule.every_n_labels.is_not(None)  # imports do not
EDITABLE = ("name", "cron", "time_zone", "every_n_labels", "parameters", "is_on")


@dataclass(frozen=True)
class NewSchedule:
    """A schedule to be created or changed: by a cron line, or by a number of new labels."""

    name: str
    kind: str
    cron: str | None = None
    time_zone: str = DEFAULT_ZONE
    every_n_labels: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_on: bool = True


def create_schedule(session: Session, actor: Actor, new: NewSchedule, roots: Sequence[str]) -> Schedule:
    """Create a schedule; its runs act as this person.

    Args:
        roots: The folders and bucket prefixes that the operator allows to be read.
    Raises:
        Forbidden: The actor may not change schedules.
        Invalid: Something is wrong with it; the text names what, and what was expected.
        Conflict: Another one has this name.
    """
    check_right(actor, Right.SCHEDULES)
    schedule = Schedule(user_id=actor.user_id, parameters={}, next_run_at=None, label_mark=0)
    _fill(session, schedule, new, roots)
    session.add(schedule)
    session.flush()
    session.refresh(schedule)
    record(session, actor, Action.SCHEDULE_CREATE, "schedule", schedule.id, name=schedule.name, kind=schedule.kind)
    return schedule


def update_schedule(
    session: Session,
    actor: Actor,
    schedule_id: int,
    changes: Mapping[str, Any],
    roots: Sequence[str],
    revision: int | None = None,
) -> Schedule:
    """Change a schedule; the next run follows from now on what it says then.

    Args:
        changes: Some of `EDITABLE` by name.
        revision: The one that the caller has seen; without it, any revision is changed.
    Raises:
        NotFound, Gone: There is no such schedule.
        Conflict: It was changed since then, or another schedule has this name.
        Forbidden, Invalid: As `create_schedule`.
    """
    check_right(actor, Right.SCHEDULES)
    schedule = get_schedule(session, schedule_id, lock=True)
    if revision is not None and revision != schedule.revision:
        raise EditConflict(
            f"Schedule {schedule_id} was changed in the meantime (revision {schedule.revision}). Reload it."
        )
    present = {name: getattr(schedule, name) for name in EDITABLE}
    _fill(session, schedule, NewSchedule(kind=schedule.kind, **(present | dict(changes))), roots)
    schedule.revision += 1
    session.flush()
    session.refresh(schedule)
    changed = ", ".join(sorted(name for name in changes if getattr(schedule, name) != present[name]))
    record(session, actor, Action.SCHEDULE_CHANGE, "schedule", schedule.id, name=schedule.name, changed=changed)
    return schedule


def switch(session: Session, actor: Actor, schedule_id: int, is_on: bool) -> Schedule:
    """Pause a schedule, or resume it from now on; nothing else is checked, so that a broken one can be paused.

    Raises:
        Forbidden: As `create_schedule`.
        NotFound, Gone: There is no such schedule.
    """
    check_right(actor, Right.SCHEDULES)
    schedule = get_schedule(session, schedule_id, lock=True)
    if schedule.is_on != is_on:
        schedule.is_on, schedule.revision = is_on, schedule.revision + 1
        schedule.next_run_at = _find_next(session, schedule.cron, schedule.time_zone) if is_on else None
        session.flush()
        record(session, actor, Action.SCHEDULE_CHANGE, "schedule", schedule.id, name=schedule.name, is_on=is_on)
    return schedule


def delete_schedule(session: Session, actor: Actor, schedule_id: int) -> None:
    """Delete a schedule. Its runs stay readable; a job that it started continues, but promotes nothing.

    Raises:
        Forbidden: As `create_schedule`.
        NotFound, Gone: There is no such schedule.
    """
    check_right(actor, Right.SCHEDULES)
    schedule = get_schedule(session, schedule_id, lock=True)
    schedule.deleted_at, schedule.next_run_at, schedule.is_on = db_now(), None, False
    schedule.revision += 1
    session.flush()
    record(session, actor, Action.SCHEDULE_DELETE, "schedule", schedule.id, name=schedule.name)
    still = (ScheduleRun.schedule_id == schedule_id) & ScheduleRun.state.in_(OPEN_RUN_STATES)
    _complete_uploads(session, actor, still)
    outcome = "The schedule was deleted during this run; a job that has started continues."
    ended = {"state": RunState.SKIPPED, "outcome": outcome, "finished_at": db_now()}
    change(session, update(ScheduleRun).where(still).values(ended | leases.revoke_values(ScheduleRun)))


def _complete_uploads(session: Session, actor: Actor, runs: ColumnElement[bool]) -> None:
    """Let uploads that runs are still filling end with what has come in."""
    arriving = select(Upload.uuid).join(ScheduleRun, ScheduleRun.work_uuid == Upload.uuid)
    for uuid in session.scalars(arriving.where(runs, Upload.deleted_at.is_(None))).all():
        shard_rows.complete_upload(session, actor, uuid, partial=True)


def get_schedule(session: Session, schedule_id: int, lock: bool = False) -> Schedule:
    """One schedule.

    Raises:
        NotFound: There never was one.
        Gone: It was deleted.
    """
    query = select(Schedule).where(Schedule.id == schedule_id, _REPEATS)
    schedule = session.scalar(locked(query) if lock else query)
    if schedule is None:
        raise NotFound(f"There is no schedule {schedule_id}. GET /api/v1/schedules lists those there are.")
    if schedule.deleted_at is not None:
        raise Gone(f"Schedule {schedule_id} has been deleted.")
    return schedule


def get_kind(session: Session, schedule_id: int) -> ScheduleKind:
    """What a schedule does, also a deleted one."""
    return ScheduleKind(session.scalars(select(Schedule.kind).where(Schedule.id == schedule_id)).one())


def list_schedules(session: Session, cursor: str | None = None, limit: int = 100) -> Page[Schedule]:
    """Schedules, newest first."""
    query = select(Schedule).where(Schedule.deleted_at.is_(None), _REPEATS)
    return page_newest_first(session, query, Schedule.id, cursor, limit)


def read_clock(session: Session) -> datetime:
    """The present moment by the database's clock."""
    now: datetime = session.scalars(select(db_now())).one()
    return now


def check_schedule(
    session: Session, new: NewSchedule, roots: Sequence[str], schedule_id: int | None = None
) -> tuple[str | None, dict[str, Any]]:
    """See whether a schedule could be made, or changed, like this; nothing is written.

    Returns:
        The cron line and the parameters as they would be kept.
    Raises:
        Invalid, Conflict: As `create_schedule`.
    """
    kind = _check_kind(new.kind)
    sentences: list[str] = []
    line: str | None = None
    parameters: dict[str, Any] = {}
    try:
        _check_name(session, new.name, schedule_id)
    except Invalid as error:
        sentences.append(error.message)
    try:
        line = _check_when(new, kind)
    except Invalid as error:
        sentences.append(error.message)
    try:
        parameters = check_parameters(session, kind, new.parameters, roots)
    except Invalid as error:
        sentences.append(error.message)
    if sentences:
        raise Invalid(" ".join(sentences))
    return line, parameters


def _fill(session: Session, schedule: Schedule, new: NewSchedule, roots: Sequence[str]) -> None:
    """Check the values and write them into a row; the next due time is computed again where it depends on a change."""
    line, parameters = check_schedule(session, new, roots, schedule.id)
    was = (schedule.cron, schedule.time_zone, schedule.is_on)
    schedule.name, schedule.kind, schedule.parameters = new.name.strip(), new.kind, parameters
    schedule.cron, schedule.time_zone, schedule.is_on = line, new.time_zone, new.is_on
    if new.every_n_labels is not None and schedule.every_n_labels is None:
        schedule.label_mark = counts.newest_label(session)
    schedule.every_n_labels = new.every_n_labels
    if was != (line, new.time_zone, new.is_on):
        is_timed = line is not None and new.is_on
        schedule.next_run_at = cron.find_next(line, new.time_zone, read_clock(session)) if line and is_timed else None


def _find_next(session: Session, line: str | None, zone: str) -> datetime | None:
    return cron.find_next(line, zone, read_clock(session)) if line is not None else None


def _check_when(new: NewSchedule, kind: ScheduleKind) -> str | None:
    if (new.cron is None) == (new.every_n_labels is None):
        raise Invalid(
            "Expected either a cron line (`cron`) or, to train, a number of new labels (`every_n_labels`); got"
            f" {'neither' if new.cron is None else 'both'}."
        )
    if new.cron is not None:
        return _check_line(new.cron, new.time_zone)
    cron.check_zone(new.time_zone)
    if kind != ScheduleKind.RETRAIN:
        raise Invalid(f"every_n_labels: only schedules that retrain wait for labels; this one is of the kind {kind}.")
    n = new.every_n_labels
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n < 2**31:
        raise Invalid(f"every_n_labels: expected a whole number from 1 on; got {n!r}.")
    return None


def _check_line(line: str, zone: str) -> str:
    """A cron line as it is stored; its faults are reported even if the time zone is wrong too."""
    try:
        cron.check_zone(zone)
    except Invalid as no_zone:
        try:
            cron.check_line(line, DEFAULT_ZONE)
        except Invalid as wrong:
            raise Invalid(f"{wrong.message} {no_zone.message}") from no_zone
        raise
    return cron.check_line(line, zone)


def _check_kind(kind: str) -> ScheduleKind:
    try:
        return ScheduleKind(kind)
    except ValueError:
        raise Invalid(f"kind: expected one of {', '.join(ScheduleKind)}; got {kind!r}.") from None


def _check_name(session: Session, name: str, schedule_id: int | None) -> None:
    kept = check_name(name, MAX_SHORT_NAME)
    same = select(Schedule.id).where(Schedule.name == kept, Schedule.deleted_at.is_(None), _REPEATS)
    if session.scalar(same.where(Schedule.id != schedule_id) if schedule_id else same) is not None:
        raise NameTaken(f"A schedule named {kept!r} exists already. Choose another name, or edit that schedule.")
