"""The heartbeat: keeps a worker alive and its lease fresh."""

from datetime import datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from core.base.clock import db_now
from core.base.database import Database
from core.jobs import chunks
from core.messaging.broker import INFERENCE
from core.operations import workers
from core.orm.jobs import Chunk
from core.orm.operations import Worker
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.waiting import until
from worker.process.heartbeat import Heartbeat

BEAT_S = 0.05
LEASE_S = 60.0


@pytest.fixture
def heartbeat(runtime: FakeRuntime) -> Heartbeat:
    with runtime.db.write() as session:
        worker_id = workers.add_worker(session, 1, INFERENCE, "cpu", {})
    return Heartbeat(runtime.db, worker_id, BEAT_S, LEASE_S)


def n_alive(db: Database) -> int:
    with db.read() as session:
        return workers.count_alive(session, INFERENCE, 15.0)


def last_beat(db: Database) -> datetime:
    with db.read() as session:
        return session.scalars(select(Worker.beat_at)).one()


def wait_for_beats(db: Database, n: int) -> None:
    for _ in range(n):
        before = last_beat(db)
        until(lambda before=before: last_beat(db) > before)


def let_lease_run_out(db: Database) -> None:
    with db.write() as session:
        session.execute(update(Chunk).values(lease_until=db_now(-1)))


def run_out(db: Database) -> list[int]:
    with db.read() as session:
        return chunks.list_expired(session, 10)


def test_a_stopped_worker_is_not_alive(runtime: FakeRuntime, heartbeat: Heartbeat) -> None:
    heartbeat.start()
    assert n_alive(runtime.db) == 1
    heartbeat.stop()
    assert n_alive(runtime.db) == 0


def test_a_worker_beats_by_itself(runtime: FakeRuntime, heartbeat: Heartbeat) -> None:
    heartbeat.start()
    wait_for_beats(runtime.db, 2)
    heartbeat.stop()


def test_a_lease_outlives_its_time_while_it_is_held_and_not_longer(
    runtime: FakeRuntime, heartbeat: Heartbeat, blobs: Blobs
) -> None:
    make_job(runtime.db, make_upload(runtime.db, blobs))
    with runtime.db.write() as session:
        chunk_id = session.scalars(select(Chunk.id)).one()
        claim = chunks.claim_chunk(session, chunk_id, heartbeat.worker_id, LEASE_S)
    assert claim is not None
    heartbeat.start()
    with heartbeat.holding(claim):
        for _ in range(2):
            let_lease_run_out(runtime.db)
            until(lambda: run_out(runtime.db) == [])
    wait_for_beats(runtime.db, 1)  # one that had begun while it was held
    let_lease_run_out(runtime.db)
    wait_for_beats(runtime.db, 2)
    assert run_out(runtime.db) == [chunk_id]
    heartbeat.stop()


def test_a_chunk_that_was_recorded_during_a_beat_is_no_lost_lease(
    runtime: FakeRuntime, heartbeat: Heartbeat, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_job(runtime.db, make_upload(runtime.db, blobs))
    with runtime.db.write() as session:
        claim = chunks.claim_chunk(session, session.scalars(select(Chunk.id)).one(), heartbeat.worker_id, 60)
    assert claim is not None
    holding = heartbeat.holding(claim)
    holding.__enter__()
    beat = workers.beat

    def record_meanwhile(session: Session, worker_id: int) -> None:
        beat(session, worker_id)
        chunks.mark_done(session, claim)
        holding.__exit__(None, None, None)

    monkeypatch.setattr(workers, "beat", record_meanwhile)
    with capture_logs() as logs:
        heartbeat.beat()
    assert logs == []


def test_a_worker_is_alive_for_three_heartbeats_of_the_setting(runtime: FakeRuntime) -> None:
    slow = runtime.settings.model_copy(update={"heartbeat_s": 20.0, "lease_s": 60.0})
    with runtime.db.write() as session:
        worker_id = workers.add_worker(session, 1, INFERENCE, "cpu", {})
        session.execute(update(Worker).where(Worker.id == worker_id).values(beat_at=db_now(-40)))
    with runtime.db.read() as session:
        assert [worker.id for worker in workers.list_alive(session, slow.alive_s)] == [worker_id]
        assert workers.list_silent(session, slow.alive_s) == []
        assert workers.count_alive(session, INFERENCE, runtime.settings.alive_s) == 0


def test_a_lease_that_somebody_else_has_by_now_is_told(
    runtime: FakeRuntime, heartbeat: Heartbeat, blobs: Blobs
) -> None:
    make_job(runtime.db, make_upload(runtime.db, blobs))
    with runtime.db.write() as session:
        chunk_id = session.scalars(select(Chunk.id)).one()
        claim = chunks.claim_chunk(session, chunk_id, heartbeat.worker_id, -1)
        assert claim is not None
        assert chunks.claim_chunk(session, chunk_id, None, 60) is not None
    with heartbeat.holding(claim), capture_logs() as logs:
        heartbeat.beat()
    assert [entry["event"] for entry in logs] == ["lease_lost"]
