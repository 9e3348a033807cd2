"""What the maintenance worker finds, although nobody told it."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.database import Database
from core.base.states import JobState
from core.cleanup import deletion, purge
from core.jobs import chunks, jobs
from core.messaging.broker import INFERENCE, KEY_PREFIX, TRAINING
from core.models import conversions
from core.operations import workers
from core.orm.jobs import Chunk, Job
from core.orm.operations import Worker
from core.orm.uploads import Upload
from core.storage.blobs import Blobs
from core.uploads import uploads
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_upload, run_job
from tests.support.fakes import FakeRuntime
from worker.maintenance import reconcile


@pytest.fixture
def job(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    return make_job(runtime.db, make_upload(runtime.db, blobs))


def chunk_ids(db: Database) -> list[int]:
    with db.read() as session:
        return list(session.scalars(select(Chunk.id)))


def test_a_ready_chunk_that_nobody_was_told_of_is_rung_for(runtime: FakeRuntime, job: UUID) -> None:
    reconcile.requeue_chunks(runtime)
    assert runtime.n_woken == 1


def test_a_queue_longer_than_the_workers_is_not_flooded(runtime: FakeRuntime, job: UUID) -> None:
    runtime.redis.rpush(KEY_PREFIX + INFERENCE, "a message", "another")
    with runtime.db.write() as session:
        workers.add_worker(session, 1, INFERENCE, "cpu", {})
    reconcile.requeue_chunks(runtime)
    assert runtime.n_woken == 0


def test_a_chunk_whose_lease_ran_out_is_rung_for_however_long_the_queue(runtime: FakeRuntime, job: UUID) -> None:
    runtime.redis.rpush(KEY_PREFIX + INFERENCE, *["a message"] * 100)
    with runtime.db.write() as session:
        chunks.claim_chunk(session, chunk_ids(runtime.db)[0], None, 60)
    reconcile.requeue_chunks(runtime)
    assert runtime.n_woken == 0
    with runtime.db.write() as session:
        session.execute(update(Chunk).values(lease_until=db_now(-1)))
    reconcile.requeue_chunks(runtime)
    assert runtime.n_woken == 1


def test_a_finished_job_that_nobody_ended_is_ended(runtime: FakeRuntime, job: UUID) -> None:
    run_job(runtime.db, job)
    with runtime.db.write() as session:
        session.execute(update(Job).values(state=JobState.RUNNING, finished_at=None))
    reconcile.reconcile(runtime)
    with runtime.db.read() as session:
        assert jobs.get_job(session, job).state == JobState.DONE


def test_an_upload_that_has_been_silent_for_days_is_finished_with_what_arrived(
    runtime: FakeRuntime, blobs: Blobs
) -> None:
    silent = make_upload(runtime.db, blobs, is_complete=False)
    fresh = make_upload(runtime.db, blobs, is_complete=False)
    with runtime.db.write() as session:
        session.execute(update(Upload).where(Upload.uuid == silent).values(received_at=db_now(-8 * 86_400)))
    reconcile.complete_inactive_uploads(runtime)
    with runtime.db.read() as session:
        assert uploads.get_upload(session, silent).state == "complete"
        assert uploads.get_upload(session, fresh).state == "receiving"


def test_what_was_deleted_is_purged(runtime: FakeRuntime, blobs: Blobs, job: UUID) -> None:
    with runtime.db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    reconcile.reconcile(runtime)
    assert chunk_ids(runtime.db) == []
    assert list(blobs.list("uploads/")) == []


def test_a_purge_that_was_killed_goes_on(
    runtime: FakeRuntime, blobs: Blobs, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job(runtime.db, job)
    with runtime.db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    monkeypatch.setattr(purge, "SLICE", 1)
    with runtime.db.write() as session:
        purge._purge_job_slice(session.scalars(select(Job.id)).one(), session)
    reconcile.purge_deleted(runtime)
    with runtime.db.read() as session:
        assert session.scalars(select(Upload)).one().purged_at is not None


def test_a_purge_that_takes_long_lets_the_next_round_go_on(runtime: FakeRuntime, blobs: Blobs, job: UUID) -> None:
    with runtime.db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    assert purge.purge_all(runtime.db, blobs, max_s=0) == 0
    assert chunk_ids(runtime.db) != []
    assert purge.purge_all(runtime.db, blobs) == 2


def test_a_queue_that_is_full_of_messages_gets_no_more(
    runtime: FakeRuntime, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "MAX_WAITING", 1)
    runtime.redis.rpush(KEY_PREFIX + INFERENCE, "a message", "another")
    with runtime.db.write() as session:
        chunks.claim_chunk(session, chunk_ids(runtime.db)[0], None, -1)
    reconcile.requeue_chunks(runtime)
    assert runtime.n_woken == 0


def test_blobs_that_no_row_names_are_swept_once_they_are_old(
    runtime: FakeRuntime, blobs: Blobs, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.put("uploads/lost/00000000-x.tar", b"lost")
    reconcile.delete_orphans(runtime)
    assert len(list(blobs.list("uploads/"))) == 2
    monkeypatch.setattr(reconcile, "ORPHAN_AGE_S", -60.0)
    reconcile.delete_orphans(runtime)
    assert [key for key, _ in blobs.list("uploads/") if "lost" in key] == []
    assert purge.find_missing(runtime.db, blobs) == []


def test_workers_that_ended_long_ago_are_forgotten_and_no_others(runtime: FakeRuntime) -> None:
    with runtime.db.write() as session:
        long_gone, lately = (workers.add_worker(session, pid, INFERENCE, "cpu", {}) for pid in (1, 2))
        for worker_id, days in ((long_gone, 31), (lately, 29)):
            session.execute(update(Worker).where(Worker.id == worker_id).values(beat_at=db_now(-days * 86_400)))
    reconcile.delete_old_workers(runtime)
    with runtime.db.read() as session:
        assert session.scalars(select(Worker.id)).all() == [lately]


def test_versions_that_were_not_converted_are_asked_for_while_no_training_waits(
    runtime: FakeRuntime, db: Database
) -> None:
    with db.read() as session:
        versions = conversions.list_missing(session)
    assert versions
    runtime.redis.rpush(KEY_PREFIX + TRAINING, "a message")
    reconcile.request_conversions(runtime)
    assert runtime.n_conversions_sent == 0
    runtime.redis.delete(KEY_PREFIX + TRAINING)
    reconcile.request_conversions(runtime)
    assert runtime.n_conversions_sent == 1
    with db.write() as session:
        for version in versions:
            conversions.add(session, version, {"reason": "it does not agree"})
    reconcile.request_conversions(runtime)
    assert runtime.n_conversions_sent == 1
