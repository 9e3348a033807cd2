"""Two at the same moment: who has to wait for whom, and that nobody waits for ever."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import event, select, text

from core.base.database import Database
from core.base.errors import Gone
from core.base.states import JobState
from core.cleanup import deletion, purge
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.jobs import chunks, job_states, jobs, progress
from core.jobs import retry as retrying
from core.jobs.progress import JobView
from core.orm.jobs import Chunk, Job
from core.orm.results import Result
from core.orm.uploads import Image
from core.storage.blobs import Blobs, shard_key
from core.uploads import uploads
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_tar, make_upload, run_job
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("version")

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def view(db: Database, uuid: UUID) -> JobView:
    with db.read() as session:
        return progress.describe(session, jobs.get_job(session, uuid))


def delete(db: Database, job: UUID) -> None:
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)


def retry(db: Database, job: UUID) -> None:
    with db.write() as session:
        retrying.retry_job(session, as_owner(session), job)


def claim_first(db: Database) -> None:
    with db.write() as session:
        chunks.claim_chunk(session, session.scalars(select(Chunk.id)).one(), None, 60)


def is_waiting(db: Database) -> bool:
    if db.engine.dialect.name == "sqlite":
        return False
    with db.read() as session:
        return session.execute(WAITING).scalar_one() > 0


def begin(pool: ThreadPoolExecutor, db: Database, act: Callable[..., None], *given: Any) -> Future[None]:
    """Let another one act until it has ended, or has come to where it waits for us, who have a transaction open."""
    wants_to_write = threading.Event()  # on SQLite there is one lock for all

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "BEGIN IMMEDIATE":
            wants_to_write.set()

    event.listen(db.engine, "before_cursor_execute", listen)
    other = pool.submit(act, *given)
    until(lambda: other.done() or wants_to_write.is_set() or is_waiting(db))
    event.remove(db.engine, "before_cursor_execute", listen)
    return other


def test_results_and_a_new_shard_of_one_job_do_not_lock_each_other_out(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=4, is_complete=False)
    job = make_job(db, upload)
    index = index_shard(io.BytesIO(make_tar({f"more/{n}.jpg": b"%d" % n for n in range(3)})).read, max_image_bytes=9)
    with ThreadPoolExecutor() as pool:
        with db.write() as session:
            uploads.get_upload(session, upload, lock=True)
            recording = begin(pool, db, run_job, db, job)
            shard_rows.add_shard(session, as_owner(session), upload, 1, index, shard_key(upload, 1), 2**40)
        recording.result()
    assert view(db, job).n_total == 7
    assert view(db, job).n_done >= 4


def test_retrying_while_the_upload_is_being_completed_leaves_no_job_receiving(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, is_complete=False)
    job = make_job(db, upload)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    with ThreadPoolExecutor() as pool:
        with db.write() as session:
            shard_rows.complete_upload(session, as_owner(session), upload, 1)
            retrying = begin(pool, db, retry, db, job)
        retrying.result()
    assert view(db, job).state == JobState.RUNNING


def test_whoever_deletes_a_job_second_is_told_that_it_is_gone(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    with ThreadPoolExecutor() as pool:
        with db.write() as session:
            deletion.delete_job(session, as_owner(session), job)
            second = begin(pool, db, delete, db, job)
        with pytest.raises(Gone):
            second.result()


def test_a_claim_that_comes_with_a_cancel_does_not_start_the_job(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    with ThreadPoolExecutor() as pool:
        with db.write() as session:
            job_states.cancel_job(session, as_owner(session), job)
            claiming = begin(pool, db, claim_first, db)
        claiming.result()
    assert view(db, job).state == JobState.CANCELLED
    assert view(db, job).started_at is None


def test_two_that_purge_the_same_job_leave_nothing_even_when_one_dies(
    db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "SLICE", 2)
    job = make_job(db, make_upload(db, blobs, n_files=6))
    run_job(db, job)
    delete(db, job)
    with ThreadPoolExecutor() as pool:
        with db.write() as session:
            job_id = session.scalars(select(Job.id)).one()
            purge._purge_job_slice(job_id, session)  # the one that dies after this slice
            session.execute(sql_delete(Chunk))
            other = begin(pool, db, purge.purge_all, db, blobs)
        other.result()
    with db.read() as session:
        assert session.scalars(select(Result.image_id)).all() == []
        assert session.scalars(select(Image.id)).all() == []
