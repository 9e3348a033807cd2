"""What `pawsort doctor` says of an installation with servers of its own."""

from sqlalchemy import update

from core.base.clock import db_now
from core.base.config import Settings
from core.base.database import Database
from core.operations import workers
from core.orm.workers import Worker
from instance.admin.doctor import Checkup, Finding


def check_workers(settings: Settings) -> Finding:
    (found,) = [found for found in Checkup(settings, 600.0).run() if found.subject == "workers"]
    return found


def test_a_worker_that_fell_silent_is_named_with_what_to_do(settings: Settings, db: Database) -> None:
    with db.write() as session:
        _, silent = (workers.add_worker(session, pid, "inference", "cpu", {}) for pid in (41, 42))
        session.execute(update(Worker).values(started_at=db_now(-60)))
    assert check_workers(settings).is_wrong is False
    with db.write() as session:
        session.execute(update(Worker).where(Worker.id == silent).values(beat_at=db_now(-20)))
    found = check_workers(settings)
    assert found.is_wrong
    assert "1 stopped sending heartbeats: inference on" in found.sentence
    assert "(process 42). End those that hang" in found.sentence
