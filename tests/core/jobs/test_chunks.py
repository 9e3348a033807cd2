"""Claims, leases and fences: who may write the results of a chunk."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.base.database import Database
from core.base.errors import LeaseLost
from core.jobs import chunks, job_states, jobs, record_results
from core.jobs.chunks import Claim
from core.jobs.record_results import Outcome
from core.orm.jobs import Chunk
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_upload
from tests.support.waiting import until

LEASE_S = 60.0


@pytest.fixture
def job(db: Database, blobs: Blobs, version: int) -> UUID:
    return make_job(db, make_upload(db, blobs))


def first_chunk(db: Database) -> int:
    with db.read() as session:
        return chunks.list_ready(session, 1)[0]


def claim(db: Database, chunk_id: int, lease_s: float = LEASE_S) -> Claim | None:
    with db.write() as session:
        return chunks.claim_chunk(session, chunk_id, None, lease_s)


def let_lease_run_out(db: Database, chunk_id: int) -> None:
    with db.write() as session:
        session.execute(update(Chunk).where(Chunk.id == chunk_id).values(lease_until=chunks.db_now(-1)))


def lease_until(db: Database, chunk_id: int) -> datetime:
    with db.read() as session:
        moment = session.scalars(select(Chunk.lease_until).where(Chunk.id == chunk_id)).one()
    assert moment is not None
    return moment


def outcomes_of(db: Database, held: Claim) -> list[Outcome]:
    with db.read() as session:
        return [Outcome(image.image_id, [0.9, 0.1]) for image in chunks.list_to_classify(session, held)]


def test_a_ready_chunk_is_claimed_once(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    assert claim(db, chunk_id) is not None
    assert claim(db, chunk_id) is None


def test_of_many_that_claim_at_once_one_wins(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claim(db, chunk_id), range(8)))
    assert sum(held is not None for held in claims) == 1


def test_a_chunk_whose_lease_ran_out_is_claimed_again_with_a_higher_fence(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    first = claim(db, chunk_id)
    let_lease_run_out(db, chunk_id)
    second = claim(db, chunk_id)
    assert first is not None
    assert second is not None
    assert (second.fence, second.attempts) == (first.fence + 1, 2)


def test_a_lease_runs_out_by_the_databases_clock(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    claim(db, chunk_id, lease_s=0.2)
    first_ends_at = lease_until(db, chunk_id)
    second = until(lambda: claim(db, chunk_id))
    assert second is not None
    assert second.is_taken_over
    assert lease_until(db, chunk_id) - first_ends_at >= timedelta(seconds=LEASE_S)


def test_renewing_keeps_a_lease_and_fails_once_it_is_lost(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    held = claim(db, chunk_id)
    assert held is not None
    let_lease_run_out(db, chunk_id)
    with db.write() as session:
        assert chunks.renew_lease(session, held, LEASE_S)
    assert claim(db, chunk_id) is None
    let_lease_run_out(db, chunk_id)
    claim(db, chunk_id)
    with db.write() as session:
        assert not chunks.renew_lease(session, held, LEASE_S)


def test_results_of_a_worker_that_lost_its_lease_are_dropped_whole(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    slow = claim(db, chunk_id)
    assert slow is not None
    outcomes = outcomes_of(db, slow)
    let_lease_run_out(db, chunk_id)
    fast = claim(db, chunk_id)
    with pytest.raises(LeaseLost), db.write() as session:
        record_results.record(session, slow, outcomes)
    with db.read() as session:
        found = jobs.get_job(session, job)
        assert (found.n_done, found.n_chunks_done) == (0, 0)
    assert fast is not None
    with db.write() as session:
        assert record_results.record(session, fast, outcomes)


def test_results_for_a_cancelled_job_are_dropped(db: Database, job: UUID) -> None:
    held = claim(db, first_chunk(db))
    assert held is not None
    outcomes = outcomes_of(db, held)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    with pytest.raises(LeaseLost), db.write() as session:
        record_results.record(session, held, outcomes)


def test_a_chunk_of_a_cancelled_job_is_not_claimed(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    assert claim(db, chunk_id) is None


def test_a_chunk_given_back_in_peace_does_not_count_as_an_attempt(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    held = claim(db, chunk_id)
    assert held is not None
    with db.write() as session:
        chunks.release_chunk(session, held)
    again = claim(db, chunk_id)
    assert again is not None
    assert again.attempts == 1
    with db.write() as session:
        chunks.release_chunk(session, again, error="it broke")
    third = claim(db, chunk_id)
    assert third is not None
    assert third.attempts == 2


def test_a_done_chunk_asks_for_no_work(db: Database, job: UUID) -> None:
    chunk_id = first_chunk(db)
    held = claim(db, chunk_id)
    assert held is not None
    outcomes = outcomes_of(db, held)
    with db.write() as session:
        record_results.record(session, held, outcomes)
    assert claim(db, chunk_id) is None
