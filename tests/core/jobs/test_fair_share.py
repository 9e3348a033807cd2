"""Whose chunk is next: users in turn, then their jobs, then the oldest."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select, update

from core.accounts import accounts
from core.base.clock import db_now
from core.base.database import Database
from core.base.states import ChunkState, JobState
from core.jobs import chunks, fair_share, jobs, record_results
from core.jobs.chunks import Claim
from core.jobs.fair_share import Lane
from core.jobs.record_results import Outcome
from core.orm.jobs import Chunk, Job
from core.orm.uploads import Shard
from core.storage.blobs import Blobs
from core.uploads import decode_budget
from tests.support.factories import make_job, make_upload

LEASE_S = 60.0

MakeJob = Callable[[str, int], UUID]


@pytest.fixture
def make(db: Database, blobs: Blobs, version: int) -> MakeJob:
    """Makes a job of a user with so many chunks of one image each."""

    def make_job_of(user: str, n_chunks: int) -> UUID:
        job = make_job(db, make_upload(db, blobs, n_files=1))
        with db.write() as session:
            row = jobs.get_job(session, job)
            row.user_id = accounts.get_or_create_user(session, user).id
            shard = session.scalars(select(Shard).where(Shard.upload_id == row.upload_id)).one()
            keys = [f"more/{row.id}/{n}" for n in range(1, n_chunks)]
            more = [
                {"upload_id": row.upload_id, "seq": n, "blob_key": key, "sha256": b"", "n_bytes": 0, "n_images": 0}
                for n, key in enumerate(keys, 1)
            ]
            if more:
                ids = session.scalars(insert(Shard).returning(Shard.id), more).all()
                session.execute(insert(Chunk), [{"job_id": row.id, "shard_id": shard_id} for shard_id in ids])
            row.n_chunks = n_chunks
            assert shard.seq == 0
        return job

    return make_job_of


def claim_next(db: Database, lane: Lane = Lane.MAIN) -> Claim | None:
    with db.read() as session:
        candidates = fair_share.list_candidates(session, lane)
    for candidate in candidates:
        with db.write() as session:
            claim = fair_share.claim(session, candidate, None, LEASE_S, lane)
        if claim is not None:
            return claim
    return None


def job_of(db: Database, claim: Claim | None) -> UUID:
    assert claim is not None
    with db.read() as session:
        return session.get_one(Job, claim.job_id).uuid


def finish(db: Database, claim: Claim | None) -> None:
    assert claim is not None
    with db.write() as session:
        record_results.record(session, claim, [])


def test_a_user_who_comes_later_is_served_before_the_rest_of_an_earlier_folder(db: Database, make: MakeJob) -> None:
    long = make("ada", 50)
    assert job_of(db, claim_next(db)) == long
    short = make("bob", 1)
    assert job_of(db, claim_next(db)) == short
    assert job_of(db, claim_next(db)) == long


def test_a_single_worker_takes_turns_between_users_who_have_nothing_running(db: Database, make: MakeJob) -> None:
    folders = {make("ada", 9): "ada", make("ada", 9): "ada", make("bob", 3): "bob"}
    served = []
    for _ in range(6):
        claim = claim_next(db)
        served.append(folders[job_of(db, claim)])
        finish(db, claim)
    assert served == ["ada", "bob"] * 3


def test_a_later_job_of_the_same_user_does_not_wait_for_the_earlier_one(db: Database, make: MakeJob) -> None:
    long, short = make("ada", 50), make("ada", 2)
    assert [job_of(db, claim_next(db)) for _ in range(4)] == [long, short, long, short]


def test_the_express_lane_takes_jobs_of_which_nothing_runs_while_others_do(db: Database, make: MakeJob) -> None:
    long = make("ada", 5)
    assert claim_next(db, Lane.EXPRESS) is None
    running = claim_next(db)
    own, other = make("ada", 1), make("bob", 1)
    assert [job_of(db, claim_next(db, Lane.EXPRESS)) for _ in range(2)] == [other, own]
    assert claim_next(db, Lane.EXPRESS) is None
    assert job_of(db, running) == long


def test_within_a_job_the_oldest_chunk_comes_first(db: Database, make: MakeJob) -> None:
    make("ada", 5)
    claimed = [claim.chunk_id for _ in range(5) if (claim := claim_next(db))]
    assert claimed == sorted(claimed)
    assert claim_next(db) is None


def test_a_chunk_whose_worker_let_go_is_claimed_and_does_not_count_as_running(db: Database, make: MakeJob) -> None:
    mine, other = make("ada", 2), make("bob", 2)
    lost = claim_next(db)
    assert lost is not None
    assert job_of(db, lost) == mine
    assert job_of(db, claim_next(db)) == other
    with db.write() as session:
        session.execute(update(Chunk).where(Chunk.id == lost.chunk_id).values(lease_until=db_now(-1)))
    again = claim_next(db)
    assert again is not None
    assert (again.chunk_id, again.is_taken_over) == (lost.chunk_id, True)


def test_workers_that_ask_at_the_same_time_get_different_chunks(db: Database, make: MakeJob) -> None:
    make("ada", 16)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claim_next(db), range(16)))
    assert len({claim.chunk_id for claim in claims if claim}) == 16


def test_a_chunk_that_failed_is_left_alone_for_a_while(db: Database, make: MakeJob) -> None:
    make("ada", 1)
    claim = claim_next(db)
    assert claim is not None
    with db.write() as session:
        chunks.release_chunk(session, claim, "the disk is full", pause_s=20)
    assert claim_next(db) is None


def test_ended_and_deleted_jobs_are_not_served(db: Database, make: MakeJob) -> None:
    cancelled, deleted = make("ada", 2), make("bob", 2)
    with db.write() as session:
        jobs.get_job(session, cancelled).state = JobState.CANCELLED
        jobs.get_job(session, deleted).deleted_at = db_now()
    assert claim_next(db) is None


def test_slow_images_are_set_aside_and_their_chunk_is_claimed_as_slow_only(
    db: Database, blobs: Blobs, version: int
) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=4))
    claim = claim_next(db)
    assert claim is not None
    with db.write() as session:
        quick = chunks.list_to_classify(session, claim)[:3]
        outcomes = [Outcome(image.image_id, [0.9, 0.1]) for image in quick]
        assert not record_results.record(session, claim, outcomes, record_results.Rest.SLOW)
        row = jobs.get_job(session, job)
        session.refresh(row)
        assert (row.n_done, row.n_chunks_done, row.state) == (3, 0, JobState.RUNNING)
    assert claim_next(db) is None
    slow = claim_next(db, Lane.SLOW)
    assert slow is not None
    assert slow.is_slow
    with db.write() as session:
        (left,) = chunks.list_to_classify(session, slow)
        assert record_results.record(session, slow, [Outcome(left.image_id, [0.2, 0.8])])
    with db.read() as session:
        row = jobs.get_job(session, job)
        assert (row.n_done, row.n_failed, row.n_total, row.state) == (4, 0, 4, JobState.DONE)


def test_the_time_for_slow_images_is_limited_for_each_upload(db: Database, make: MakeJob) -> None:
    make("ada", 1)
    make("bob", 1)
    mine, other = claim_next(db), claim_next(db)
    assert mine is not None
    assert other is not None
    with db.write() as session:
        decode_budget.add_spent(session, mine.shard_id, 50.0)
        decode_budget.add_spent(session, mine.shard_id, 4.0)
    with db.read() as session:
        assert decode_budget.read_budget(session, mine.shard_id) == pytest.approx(6.0)
        assert decode_budget.read_budget(session, other.shard_id) == decode_budget.BUDGET_S


def test_a_longer_queue_does_not_make_the_choice_read_more(db: Database, make: MakeJob) -> None:
    """The statement reads a few rows of each active job, so it must not scan chunks."""
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2:4]))
    make("ada", 500)
    statements.clear()
    with db.read() as session:
        fair_share.list_candidates(session)
        if db.engine.dialect.name != "sqlite":
            return
        (query, parameters) = next(given for given in statements if given[0].lstrip().startswith("SELECT"))
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).all()
    assert not [row for row in plan if "SCAN chunks" in row[3]], plan


def test_every_ready_chunk_is_claimed_once(db: Database, make: MakeJob) -> None:
    for user in ("ada", "bob", "eve"):
        make(user, 7)
    claims = [claim for _ in range(22) if (claim := claim_next(db))]
    assert len({claim.chunk_id for claim in claims}) == len(claims) == 21
    with db.read() as session:
        assert not session.scalars(select(Chunk.id).where(Chunk.state == ChunkState.READY)).all()
