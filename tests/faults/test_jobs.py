"""Cancelling, going on and deleting in the middle of a job, and everything that comes twice."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from uuid import UUID, uuid4

import pytest
from celery import Celery
from redis import Redis
from sqlalchemy import func, select

from core.base.config import Settings
from core.base.states import ChunkState
from core.messaging.broker import CLASSIFY_CHUNK, INFERENCE, KEY_PREFIX, make_celery
from core.orm.jobs import Chunk, Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard
from tests.support.deadlines import within
from tests.support.installation import END_S, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.processes import kill
from tests.support.soundness import check_counters, check_sound, read_results


def make_sender(installation: Installation) -> Celery:
    """What sends messages to the workers of this installation."""
    return make_celery(Settings(_env_file=None, redis_url=installation.record.redis_url))  # type: ignore[call-arg]


def chunk_ids(installation: Installation, job: str) -> list[int]:
    with installation.db.read() as session:
        return list(session.scalars(select(Chunk.id).join(Job, Job.id == Chunk.job_id).where(Job.uuid == UUID(job))))


def count_under_way(installation: Installation, job: str) -> int:
    with installation.db.read() as session:
        of_job = select(func.count()).select_from(Chunk).join(Job, Job.id == Chunk.job_id).where(Job.uuid == UUID(job))
        return session.scalars(of_job.where(Chunk.state == ChunkState.RUNNING)).one()


def test_a_cancelled_job_stops_within_one_chunk_and_retry_goes_on_to_the_end(installation: Installation) -> None:
    log = installation.data_dir / "logs" / "inference.log"
    n_dropped = log.read_text().count("lease_lost")
    with installation.client() as client:
        with installation.holding():
            job = installation.classify(installation.send(make_shards(8, 3, n_free=2)))
            installation.wait_for(lambda: len(read_results(installation.db, job)) == 6, END_S, "what is not held")
            installation.wait_under_way(job)
            assert client.jobs.cancel(job).state == "cancelled"
            at_once = read_results(installation.db, job)
            n_dropped += count_under_way(installation, job)
        installation.wait_for(lambda: log.read_text().count("lease_lost") >= n_dropped, END_S, "chunks to be dropped")
        assert read_results(installation.db, job) == at_once
        assert len(at_once) == 6
        check_counters(installation.db, job)
        assert {one.path for one in client.jobs.results(job)} == set(at_once)
        assert installation.state(job) == "cancelled"
        client.jobs.retry(job)
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
    upload = installation.send(make_shards(4, 3, n_free=1))
    folder = installation.data_dir / "blobs" / "uploads" / upload
    assert len(list(folder.glob("*.tar"))) == 4
    with installation.holding() if when == "while it runs" else nullcontext():
        job = installation.classify(upload)
        if when == "while it runs":
            installation.wait_for(lambda: read_results(installation.db, job), END_S, "first results")
            installation.wait_under_way(job)
        else:
            installation.wait_for_job(job)
        delete(installation, upload, job)
    if when == "while its deleting is killed":
        kill(installation.find("maintenance@")[0])
    installation.wait_for(lambda: not any(count_rows(installation, job).values()), END_S, "the rows to go")
    installation.wait_for(lambda: not any(folder.glob("*")), END_S, "the bytes to go")
    check_doctor(installation, upload)


def delete(installation: Installation, upload: str, job: str) -> None:
    """Delete a job; from then on neither it nor its upload is known."""
    with installation.http() as http:
        assert http.delete(f"/jobs/{job}").status_code == 202
        assert http.get(f"/jobs/{job}").status_code == 410
        assert http.put(f"/uploads/{upload}/shards/4", content=make_shards(1, 1)[0]).status_code == 410


def check_doctor(installation: Installation, upload: str) -> None:
    """The doctor looks for orphans and finds none of the upload; a test that kills may have left others before."""
    command = [sys.executable, "-m", "pawsort.cli", "doctor", "--orphan-age", "0"]
    said = subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=within(START_S), check=False
    )
    assert "orphans" in said.stdout, said.stderr
    assert upload not in said.stdout


def test_of_two_jobs_over_an_upload_the_last_one_takes_it_along(installation: Installation) -> None:
    upload = installation.send(make_shards(1, 3))
    first, second = installation.classify(upload), installation.classify(upload)
    with installation.client() as client:
        client.jobs.delete(first)
        installation.wait_for_job(second)
        check_sound(installation.db, second)
        client.jobs.delete(second)
        installation.wait_for(lambda: not any(count_rows(installation, second).values()), END_S, "the rows to go")


def test_the_same_shards_in_parallel_and_out_of_order_arrive_once(installation: Installation) -> None:
    shards = make_shards(6, 3)
    upload, job = str(uuid4()), str(uuid4())
    with installation.client() as client, installation.http() as http:
        client.uploads.create(upload)
        client.jobs.create(job, upload=upload)

        def put(seq: int) -> int:
            return http.put(f"/uploads/{upload}/shards/{seq}", content=shards[seq]).status_code

        order = [seq for seq in reversed(range(6)) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(put, order))
        by_shard = [sorted(statuses[start : start + 8]) for start in range(0, 48, 8)]
        assert by_shard == [[200] * 7 + [201]] * 6
        assert http.put(f"/uploads/{upload}/shards/0", content=shards[1]).status_code == 409
        client.uploads.complete(upload, 6)
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
