"""Cancelling, going on and deleting in the middle of a job, and everything that comes twice."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from celery import Celery
from redis import Redis
from sqlalchemy import func, select

from core.base.config import Settings
from core.messaging.broker import CLASSIFY_CHUNK, INFERENCE, KEY_PREFIX, make_celery
from core.orm.jobs import Chunk, Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard
from tests.faults.installation import END_S, QUICK, START_S, Installation
from tests.faults.photographs import make_shards
from tests.faults.processes import kill
from tests.faults.soundness import check_counters, check_sound, read_results

PAUSE_S = float(QUICK["PAWSORT_PAUSE_AFTER_CLAIM_S"])


def make_sender(installation: Installation) -> Celery:
    """What sends messages to the workers of this installation."""
    return make_celery(Settings(_env_file=None, redis_url=installation.record.redis_url))  # type: ignore[call-arg]


def chunk_ids(installation: Installation, job: str) -> list[int]:
    with installation.db.read() as session:
        return list(session.scalars(select(Chunk.id).join(Job, Job.id == Chunk.job_id).where(Job.uuid == UUID(job))))


def wait_for_results(installation: Installation, job: str) -> None:
    installation.wait_for(lambda: read_results(installation.db, job), END_S, "first results")


def test_a_cancelled_job_stops_within_one_chunk_and_retry_goes_on_to_the_end(installation: Installation) -> None:
    shards = make_shards(8, 3)
    job = installation.classify(installation.send(shards))
    wait_for_results(installation, job)
    with installation.client() as client:
        assert client.cancel_job(job)["state"] == "cancelled"
        at_once = read_results(installation.db, job)
        assert 0 < len(at_once) < 24
        # What was under way has been dropped when both processes could have recorded it.
        settled_at = time.monotonic() + 2 * PAUSE_S
        installation.wait_for(lambda: time.monotonic() > settled_at, END_S, "chunks under way to end")
        assert read_results(installation.db, job) == at_once
        check_counters(installation.db, job)
        assert {one["path"] for one in client.list_results(job)} == set(at_once)
        assert installation.state(job) == "cancelled"
        client.retry_job(job)
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    assert at_once.items() <= read_results(installation.db, job).items()


def count_rows(installation: Installation, job: str) -> dict[str, int]:
    with installation.db.read() as session:
        row = session.scalars(select(Job).where(Job.uuid == UUID(job))).one()
        of_job = {table.__tablename__: table.job_id == row.id for table in (Result, Chunk, HistogramBin)}
        of_upload = {table.__tablename__: table.upload_id == row.upload_id for table in (Image, Shard)}
        return {
            name: session.scalars(select(func.count()).where(which)).one()
            for name, which in (of_job | of_upload).items()
        }


@pytest.mark.parametrize("when", ["while it runs", "when it is done", "while its deleting is killed"])
def test_a_deleted_job_leaves_neither_rows_nor_bytes(installation: Installation, when: str) -> None:
    upload = installation.send(make_shards(4, 3))
    job = installation.classify(upload)
    folder = installation.data_dir / "blobs" / "uploads" / upload
    assert len(list(folder.glob("*.tar"))) == 4
    if when == "while it runs":
        wait_for_results(installation, job)
        installation.wait_for(lambda: installation.find_under_way(job), END_S, "a chunk to be under way")
    else:
        installation.wait_for_job(job)
    with installation.http() as http:
        assert http.delete(f"/jobs/{job}").status_code == 202
        assert http.get(f"/jobs/{job}").status_code == 410
        assert http.put(f"/uploads/{upload}/shards/4", content=make_shards(1, 1)[0]).status_code == 410
    if when == "while its deleting is killed":
        kill(installation.find("maintenance@")[0])
    installation.wait_for(lambda: not any(count_rows(installation, job).values()), END_S, "the rows to go")
    installation.wait_for(lambda: not folder.exists(), END_S, "the bytes to go")
    check_doctor(installation, upload)


def check_doctor(installation: Installation, upload: str) -> None:
    """The doctor looks for orphans and finds none of the upload; a test that kills may have left others before."""
    command = [sys.executable, "-m", "pawsort.cli", "doctor", "--orphan-age", "0"]
    said = subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=START_S, check=False
    )
    assert "orphans" in said.stdout, said.stderr
    assert upload not in said.stdout


def test_of_two_jobs_over_an_upload_the_last_one_takes_it_along(installation: Installation) -> None:
    upload = installation.send(make_shards(1, 3))
    first, second = installation.classify(upload), installation.classify(upload)
    with installation.client() as client:
        client.delete_job(first)
        installation.wait_for_job(second)
        check_sound(installation.db, second)
        client.delete_job(second)
        installation.wait_for(lambda: not any(count_rows(installation, second).values()), END_S, "the rows to go")


def test_the_same_shards_in_parallel_and_out_of_order_arrive_once(installation: Installation) -> None:
    shards = make_shards(6, 3)
    upload, job = str(uuid4()), str(uuid4())
    with installation.client() as client, installation.http() as http:
        client.create_upload(upload)
        client.create_job(job, upload)

        def put(seq: int) -> int:
            return http.put(f"/uploads/{upload}/shards/{seq}", content=shards[seq]).status_code

        order = [seq for seq in reversed(range(6)) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(put, order))
        by_shard = [sorted(statuses[start : start + 8]) for start in range(0, 48, 8)]
        assert by_shard == [[200] * 7 + [201]] * 6
        assert http.put(f"/uploads/{upload}/shards/0", content=shards[1]).status_code == 409
        client.complete_upload(upload, 6)
    installation.wait_for_job(job)
    check_sound(installation.db, job)
    paths = sorted(read_results(installation.db, job))
    assert paths == [f"photos/{number:03}.jpg" for number in range(18)]
    assert len(list((installation.data_dir / "blobs" / "uploads" / upload).glob("*.tar"))) == 6


def test_a_message_that_comes_ten_times_and_one_for_no_chunk_do_no_harm(installation: Installation) -> None:
    workers = installation.wait_for_workers()
    app = make_sender(installation)
    job = installation.classify(installation.send(make_shards(2, 3)))
    for _ in range(10):
        for chunk_id in [*chunk_ids(installation, job), 10**9]:
            app.send_task(CLASSIFY_CHUNK, args=[chunk_id])
    installation.wait_for_job(job)
    assert installation.attempts(job) == [1, 1]
    for chunk_id in chunk_ids(installation, job):  # once more when all is done
        app.send_task(CLASSIFY_CHUNK, args=[chunk_id])
    with Redis.from_url(installation.record.redis_url) as redis:
        installation.wait_for(lambda: redis.llen(KEY_PREFIX + INFERENCE) == 0, END_S, "the queue to be empty")
    check_sound(installation.db, job)
    assert installation.attempts(job) == [1, 1]
    assert sorted(installation.wait_for_workers()) == sorted(workers)
