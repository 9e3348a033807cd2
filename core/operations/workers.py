"""Workers: a row with a heartbeat for each process that takes work."""

import socket
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from core.base.clock import db_now
from core.base.database import change
from core.orm.operations import Worker

MISSED_S = 86_400.0


def add_worker(session: Session, pid: int, queue: str, device: str, versions: dict[str, Any]) -> int:
    """Add a row for a process that is ready for work; returns its id."""
    worker = Worker(host=socket.gethostname(), pid=pid, queue=queue, device=device, versions=versions)
    session.add(worker)
    session.flush()
    return worker.id


def beat(session: Session, worker_id: int) -> None:
    """Record a heartbeat."""
    session.execute(update(Worker).where(Worker.id == worker_id).values(beat_at=db_now(), stopped_at=None))


def stop_worker(session: Session, worker_id: int) -> None:
    """Record that a worker has stopped."""
    session.execute(update(Worker).where(Worker.id == worker_id).values(stopped_at=db_now()))


def stop_silent(session: Session, alive_s: float) -> None:
    """Record of those without a heartbeat for `alive_s` that they have stopped, as after a restored backup.

    The next heartbeat of one that lives undoes it.
    """
    silent = Worker.stopped_at.is_(None) & (Worker.beat_at < db_now(-alive_s))
    session.execute(update(Worker).where(silent).values(stopped_at=db_now()))


def delete_silent(session: Session, silent_s: float) -> int:
    """Delete workers without a heartbeat for this time, since every start adds rows. Returns how many there were."""
    return change(session, delete(Worker).where(Worker.beat_at < db_now(-silent_s)))


def count_alive(session: Session, queue: str, alive_s: float) -> int:
    """How many workers of a queue have sent a heartbeat within `alive_s`, usually `Settings.alive_s`."""
    alive = (Worker.queue == queue) & _is_alive(alive_s)
    return session.scalars(select(func.count()).select_from(Worker).where(alive)).one()


def list_alive(session: Session, alive_s: float) -> list[Worker]:
    """Workers that have sent a heartbeat within `Settings.alive_s`."""
    return list(session.scalars(select(Worker).where(_is_alive(alive_s)).order_by(Worker.id)))


def list_silent(session: Session, alive_s: float) -> list[Worker]:
    """Workers that have sent no heartbeat for `alive_s` without having stopped, unless others replaced them since.

    They stalled, or were killed. After a day they are no longer listed.
    """
    later = aliased(Worker)
    replaced = exists().where(
        later.host == Worker.host, later.queue == Worker.queue, later.id > Worker.id, later.started_at > Worker.beat_at
    )
    silent = Worker.stopped_at.is_(None) & (Worker.beat_at > db_now(-MISSED_S)) & ~_is_alive(alive_s)
    return list(session.scalars(select(Worker).where(silent, ~replaced).order_by(Worker.id)))


def _is_alive(alive_s: float) -> ColumnElement[bool]:
    # A heartbeat that lies ahead was sent before the clock was set back: by now there would be another.
    return Worker.stopped_at.is_(None) & Worker.beat_at.between(db_now(-alive_s), db_now(alive_s))
