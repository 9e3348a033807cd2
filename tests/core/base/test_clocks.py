"""A clock that is set back by an hour: what was set before lies an hour ahead, and holds nothing up."""

from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.database import Database
from core.jobs import chunks, fair_share, jobs
from core.operations import workers
from core.operations.backup import holds
from core.orm.jobs import Chunk
from core.orm.operations import Backup, Worker
from core.orm.training import Training
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.factories import make_job, make_labelled, make_training, make_upload

HOUR_S = 3600.0
LEASE_S = 15.0
pytestmark = pytest.mark.usefixtures("version")


def put_ahead(session: Session, table: type[Any], *columns: str) -> None:
    """What rows hold as they would be had the clock been an hour ahead when they were written."""
    session.execute(update(table).values({name: db_now(HOUR_S) for name in columns}))


def test_chunks_are_claimed_whose_lease_and_pause_lie_far_ahead(db: Database, blobs: Blobs) -> None:
    make_job(db, make_upload(db, blobs))
    with db.write() as session:
        put_ahead(session, Chunk, "ready_at")
        (candidate,) = fair_share.list_candidates(session)
        assert fair_share.claim(session, candidate, None, LEASE_S) is not None
    with db.write() as session:
        assert fair_share.list_candidates(session) == []
        put_ahead(session, Chunk, "lease_until")
        assert chunks.list_expired(session, 10) != []
        (candidate,) = fair_share.list_candidates(session)
        claim = fair_share.claim(session, candidate, None, LEASE_S)
        assert claim is not None
        assert claim.is_taken_over


def test_trainings_are_claimed_whose_lease_and_pause_lie_far_ahead(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    for columns in (("ready_at",), ("lease_until",)):
        with db.write() as session:
            put_ahead(session, Training, *columns)
            job_id = jobs.get_job(session, uuid).id
            assert claims.claim_training(session, job_id, None, LEASE_S) is not None


def test_a_worker_whose_heartbeat_lies_ahead_is_dead_until_it_sends_another(db: Database) -> None:
    with db.write() as session:
        worker_id = workers.add_worker(session, 1, "inference", "cpu", {})
        put_ahead(session, Worker, "beat_at", "started_at")
        assert workers.count_alive(session, "inference", LEASE_S) == 0
        assert [one.id for one in workers.list_silent(session, LEASE_S)] == [worker_id]
        workers.beat(session, worker_id)
        assert workers.count_alive(session, "inference", LEASE_S) == 1


def test_a_small_step_back_takes_work_from_nobody(db: Database, blobs: Blobs) -> None:
    make_job(db, make_upload(db, blobs))
    with db.write() as session:
        (candidate,) = fair_share.list_candidates(session)
        assert fair_share.claim(session, candidate, None, LEASE_S) is not None
        session.execute(update(Chunk).values(lease_until=db_now(LEASE_S + 5)))
        assert chunks.list_expired(session, 10) == []


def test_the_hold_of_a_backup_does_not_outlast_the_clock(db: Database) -> None:
    with holds.keeping_blobs(db, "somewhere"):
        with db.write() as session:
            put_ahead(session, Backup, "lease_until")
        assert not holds.is_backup_running(db)
