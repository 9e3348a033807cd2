"""Pausing everything, and the condition under which workers may claim work of a job."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base.states import ACTIVE_STATES
from core.messaging.broker import INFERENCE, TRAINING
from core.orm.jobs import Job, PausedQueue

QUEUES = (INFERENCE, TRAINING)


def pause_everything(session: Session, actor: Actor) -> None:
    """Let workers claim nothing until `resume_everything`; schedules, uploads and deletions go on."""
    paused = set(session.scalars(select(PausedQueue.name)))
    session.add_all(PausedQueue(name=name, user_id=actor.user_id) for name in QUEUES if name not in paused)
    session.flush()
    record(session, actor, Action.SETTING_CHANGE, "queues", everything="paused")


def resume_everything(session: Session, actor: Actor) -> None:
    """Let workers go on; jobs that are paused themselves stay so. Send messages after the commit."""
    session.execute(delete(PausedQueue))
    record(session, actor, Action.SETTING_CHANGE, "queues", everything="resumed")


def find_pause(session: Session) -> datetime | None:
    """Since when everything is paused."""
    return session.scalar(select(PausedQueue.since).order_by(PausedQueue.since).limit(1))


def may_go_on(queue: str) -> ColumnElement[bool]:
    """SQL for: a job that workers of a queue may work on."""
    is_queue_paused = select(PausedQueue.name).where(PausedQueue.name == queue).exists()
    return Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None) & Job.is_paused.is_(False) & ~is_queue_paused
