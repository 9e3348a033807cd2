"""The heartbeat: keeps a worker alive and its lease fresh."""

import time

import pytest
from sqlalchemy import select

from core import chunks, workers
from core.blobs import Blobs
from core.broker import INFERENCE
from core.db import Database
from core.orm import Chunk, Worker
from tests.factories import make_job, make_upload
from tests.fakes import FakeRuntime
from worker.heartbeat import Heartbeat

BEAT_S = 0.05


@pytest.fixture
def heartbeat(runtime: FakeRuntime) -> Heartbeat:
    with runtime.db.write() as session:
        worker_id = workers.add_worker(session, 1, INFERENCE, "cpu", {})
    return Heartbeat(runtime.db, worker_id, BEAT_S, lease_s=0.5)


def n_alive(db: Database) -> int:
    with db.read() as session:
        return workers.count_alive(session, INFERENCE)


def test_a_stopped_worker_is_not_alive(runtime: FakeRuntime, heartbeat: Heartbeat) -> None:
    heartbeat.start()
    assert n_alive(runtime.db) == 1
    heartbeat.stop()
    assert n_alive(runtime.db) == 0


def test_a_worker_beats_by_itself(runtime: FakeRuntime, heartbeat: Heartbeat) -> None:
    with runtime.db.read() as session:
        before = session.scalars(select(Worker.beat_at)).one()
    heartbeat.start()
    deadline = time.monotonic() + 10
    after = before
    while after == before and time.monotonic() < deadline:
        time.sleep(BEAT_S)
        with runtime.db.read() as session:
            after = session.scalars(select(Worker.beat_at)).one()
    heartbeat.stop()
    assert after > before


def test_a_lease_outlives_its_time_while_it_is_held_and_not_longer(
    runtime: FakeRuntime, heartbeat: Heartbeat, blobs: Blobs
) -> None:
    make_job(runtime.db, make_upload(runtime.db, blobs))
    with runtime.db.write() as session:
        chunk_id = session.scalars(select(Chunk.id)).one()
        claim = chunks.claim_chunk(session, chunk_id, heartbeat.worker_id, 0.5)
    assert claim is not None
    heartbeat.start()
    with heartbeat.holding(claim):
        time.sleep(1.2)
        with runtime.db.read() as session:
            assert chunks.list_run_out(session, 10) == []
    time.sleep(0.8)
    with runtime.db.read() as session:
        assert chunks.list_run_out(session, 10) == [chunk_id]
    heartbeat.stop()
