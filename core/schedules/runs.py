"""Runs of schedules: claimed under a lease and a fence, ended with a sentence.

    waiting ─► running (its job is there) ─► [judging: both versions are evaluated] ─► done │ skipped │ failed

A run chooses the id of its job in advance (`work_uuid`), so one that was killed half way finds what it began.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from core.accounts import accounts, people
from core.accounts.rights import Actor, Right
from core.base import leases
from core.base.clock import db_now
from core.base.database import locked
from core.base.errors import Forbidden, LeaseLost, NotFound
from core.base.paging import Page, decode_cursor, encode_cursor
from core.base.states import ACTIVE_STATES, OPEN_RUN_STATES, RunState
from core.orm.accounts import User
from core.orm.jobs import Job
from core.orm.schedules import Schedule, ScheduleRun
from core.webhooks import events


@dataclass(frozen=True)
class RunClaim:
    """A run that one worker holds until its lease runs out."""

    run_id: int
    schedule_id: int
    fence: int


@dataclass(frozen=True)
class RunView:
    """A run as it is shown: with the name of the person who started it, and the id of its job if that exists."""

    run: ScheduleRun
    who: str | None
    job: UUID | None


def list_ready(session: Session) -> list[int]:
    """Runs that can be worked on: no worker holds them, and there is no job to wait for."""
    job_ended = or_(Job.state.not_in(ACTIVE_STATES), Job.deleted_at.is_not(None))
    job_ended |= Job.id.is_(None) | (
        ScheduleRun.state == RunState.WAITING
    )  # that has begun, and has not made all of it
    query = select(ScheduleRun.id).join(Job, Job.id == ScheduleRun.job_id, isouter=True).where(_is_free(), job_ended)
    return list(session.scalars(query.order_by(ScheduleRun.id)))


def claim_run(session: Session, run_id: int, lease_s: float) -> RunClaim | None:
    """Claim a run that no worker holds; None when one holds it, or the run has ended."""
    run = session.scalar(locked(select(ScheduleRun).where(ScheduleRun.id == run_id, _is_free())))
    if run is None:
        return None
    leases.claim(run, lease_s)
    session.flush()
    return RunClaim(run.id, run.schedule_id, run.fence)


def hold_run(session: Session, claim: RunClaim) -> ScheduleRun:
    """The row of a claimed run, locked.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    held = (ScheduleRun.id == claim.run_id) & (ScheduleRun.fence == claim.fence)
    run = session.scalar(locked(select(ScheduleRun).where(held, ScheduleRun.state.in_(OPEN_RUN_STATES))))
    if run is None:
        raise LeaseLost(f"Run {claim.run_id} has ended, or another worker has it.")
    return run


def find_actor(session: Session, run: ScheduleRun) -> Actor:
    """The person that a run acts as: who started it, or who made its schedule; the owner where neither is known.

    Raises:
        Forbidden: This person has been disabled, or may no longer run schedules.
    """
    user = find_person(session, session.get_one(Schedule, run.schedule_id), run)
    if reason := why_not(user):
        raise Forbidden(
            f"This schedule acts as “{user.name}”, who {reason}. Hand it over to an admin:"
            f" `pawsort user hand-over {user.name} NAME`."
        )
    return people.act_as(user, "schedule")


def find_person(session: Session, schedule: Schedule, run: ScheduleRun | None = None) -> User:
    """The person that the runs of a schedule act as, or one of them, whatever that person may do by now."""
    user_id = (run.user_id if run is not None else None) or schedule.user_id
    return accounts.get_or_create_owner(session) if user_id is None else session.get_one(User, user_id)


def why_not(user: User) -> str | None:
    """Why no schedule can act as a person; None if one can."""
    if people.act_as(user, "schedule").may(Right.SCHEDULES):
        return None
    return "is disabled" if user.disabled_at else "is no longer an admin"


def renew_lease(session: Session, claim: RunClaim, lease_s: float) -> None:
    """Renew the lease of a run.

    Raises:
        LeaseLost: The claim is no longer valid, or its run was released and must not be claimed again.
    """
    run = hold_run(session, claim)
    if run.lease_until is None:
        raise LeaseLost(f"Run {claim.run_id} was released.")
    leases.renew(run, lease_s)


def release_run(session: Session, claim: RunClaim) -> None:
    """Release a run that continues later.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    leases.release(hold_run(session, claim))


def postpone_run(session: Session, claim: RunClaim, pause_s: float, **details: Any) -> None:
    """Release a run that continues after a pause.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    run = hold_run(session, claim)
    note(run, **details)
    leases.release(run)
    run.ready_at = db_now(pause_s)


def release_after_error(session: Session, claim: RunClaim) -> int:
    """Release a run after an error, to be claimed again after a pause. Returns how many attempts have failed.

    Raises:
        LeaseLost: The claim is no longer valid.
    """
    run = hold_run(session, claim)
    leases.release(run)
    run.attempts += 1
    run.ready_at = db_now(leases.pause_s(run.attempts))
    return run.attempts


def leave_to_jobs(run: ScheduleRun, state: RunState) -> None:
    """Release a held run whose next step waits until its jobs have ended."""
    run.state = state
    run.attempts = 0
    leases.release(run)


def note(run: ScheduleRun, **details: Any) -> None:
    """Add to the details that the run's page shows."""
    run.details = {**run.details, **details}


def end_run(session: Session, claim: RunClaim, state: RunState, outcome: str, **details: Any) -> None:
    """End a run with a sentence.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    run = hold_run(session, claim)
    note(run, **details)
    run.state, run.outcome, run.finished_at = state, outcome, db_now()
    leases.release(run)
    session.flush()
    if state == RunState.FAILED:
        owner_id = run.user_id or session.get_one(Schedule, run.schedule_id).user_id
        events.publish_failed_run(session, run, owner_id)


def get_run(session: Session, schedule_id: int, run_id: int) -> RunView:
    """One run of a schedule; those of deleted schedules stay readable.

    Raises:
        NotFound: There is none.
    """
    row = session.execute(_views().where(ScheduleRun.id == run_id, ScheduleRun.schedule_id == schedule_id)).first()
    if row is None:
        raise NotFound(f"Schedule {schedule_id} has no run {run_id}. GET /api/v1/schedules/{schedule_id}/runs has all.")
    return RunView(*row)


def list_runs(session: Session, schedule_id: int, cursor: str | None = None, limit: int = 100) -> Page[RunView]:
    """The runs of a schedule, newest first."""
    query = _views().where(ScheduleRun.schedule_id == schedule_id).order_by(ScheduleRun.id.desc())
    if cursor:
        query = query.where(ScheduleRun.id < decode_cursor(cursor, int)[0])
    items = [RunView(*row) for row in session.execute(query.limit(limit + 1))]
    return Page(items[:limit], encode_cursor(items[limit - 1].run.id) if len(items) > limit else None)


def find_last(session: Session, schedule_ids: list[int]) -> dict[int, RunView]:
    """The newest run of each schedule that has one."""
    newest = select(func.max(ScheduleRun.id)).where(ScheduleRun.schedule_id.in_(schedule_ids))
    rows = session.execute(_views().where(ScheduleRun.id.in_(newest.group_by(ScheduleRun.schedule_id))))
    return {row[0].schedule_id: RunView(*row) for row in rows}


def _views() -> Any:
    alive = and_(Job.id == ScheduleRun.job_id, Job.deleted_at.is_(None))
    columns = (ScheduleRun, User.name, Job.uuid)
    return select(*columns).join(User, User.id == ScheduleRun.user_id, isouter=True).join(Job, alive, isouter=True)


def _is_free() -> ColumnElement[bool]:
    is_ready = ScheduleRun.ready_at.is_(None) | leases.is_ready(ScheduleRun.ready_at)
    return ScheduleRun.state.in_(OPEN_RUN_STATES) & leases.is_free(ScheduleRun.lease_until) & is_ready
