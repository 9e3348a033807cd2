"""Valkey missing, emptied, frozen or killed: no request fails or waits for it, no chunk is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from core.base.config import Settings
from core.messaging.broker import KEY_PREFIX, RECONCILE, make_celery
from instance.base.programs import valkey as valkey_program
from tests.support.deadlines import within
from tests.support.installation import END_S, QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.soundness import check_sound, read_results

N_SHARDS, N_EACH = 5, 3
AT_ONCE_S = 2.0  # who waits for it waits for a connection: 5 s
LONG_S = 150.0
NAMED_S = 15.0
LOG_BYTES_PER_S = 2_000  # it was 6,000 when each error was logged


class Valkey:
    """A server that the test starts, stops, freezes and kills as it likes."""

    def __init__(self, socket: Path) -> None:
        self.url = f"unix://{socket}"
        self._command = valkey_program(socket).command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def valkey(short_folder: Path) -> Iterator[Valkey]:
    server = Valkey(short_folder / "own")
    yield server
    server.kill()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, valkey: Valkey) -> Iterator[Installation]:
    """An installation that is told to use this Valkey, and is started without it."""
    settings = {**QUICK, "PAWSORT_INFERENCE_PROCESSES": "1", "PAWSORT_REDIS_URL": valkey.url}
    with Installation.running(tmp_path_factory.mktemp("valkey"), **settings) as one:
        yield one


def send_measured(installation: Installation) -> tuple[str, list[float]]:
    """A job over an upload that is sent request by request, each once; the job, and how long each request took."""
    upload, job = str(uuid4()), str(uuid4())
    shards = make_shards(N_SHARDS, N_EACH)
    took_s = []
    with installation.http() as http:

        def call(method: str, path: str, **body: object) -> None:
            began = time.perf_counter()
            response = http.request(method, path, **body)  # type: ignore[arg-type]
            took_s.append(time.perf_counter() - began)
            assert response.is_success, response.text

        call("PUT", f"/uploads/{upload}", json={"name": "photos"})
        call("PUT", f"/jobs/{job}", json={"upload": upload})
        for seq, tar in enumerate(shards):
            call("PUT", f"/uploads/{upload}/shards/{seq}", content=tar)
        call("POST", f"/uploads/{upload}/complete", json={"n_shards": N_SHARDS})
        call("GET", f"/jobs/{job}")
        call("GET", f"/jobs/{job}/results")
    return job, took_s


def check_done(installation: Installation, job: str, seconds: float = END_S) -> None:
    installation.wait_for_job(job, seconds)
    check_sound(installation.db, job)
    results = read_results(installation.db, job)
    assert sorted(results) == [f"photos/{number:03}.jpg" for number in range(N_SHARDS * N_EACH)]
    assert all(code is None for _, _, code in results.values())


def test_an_upload_without_valkey_neither_fails_nor_waits(installation: Installation, valkey: Valkey) -> None:
    assert not valkey.is_running
    job, took_s = send_measured(installation)
    print("TOOK", sorted(took_s)[-3:], within(AT_ONCE_S))
    assert max(took_s) < within(AT_ONCE_S)
    with installation.http() as http:
        ready = http.get(f"{installation.record.address}/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["broker"] != "ok"
    valkey.start()
    check_done(installation, job)


@pytest.fixture
def running(installation: Installation, valkey: Valkey) -> Installation:
    """The installation with its Valkey, and a worker that is ready."""
    valkey.start()
    installation.wait_for_workers(1)
    return installation


def test_a_frozen_valkey_delays_no_request(running: Installation, valkey: Valkey) -> None:
    valkey.send(signal.SIGSTOP)
    try:
        job, took_s = send_measured(running)
    finally:
        valkey.send(signal.SIGCONT)
    print("TOOK", sorted(took_s)[-3:], within(AT_ONCE_S))
    assert max(took_s) < within(AT_ONCE_S)
    check_done(running, job)


def test_a_valkey_emptied_again_and_again_loses_nothing(running: Installation, valkey: Valkey) -> None:
    upload = running.send(make_shards(N_SHARDS, N_EACH))
    for _ in range(3):
        with running.holding(), Redis.from_url(valkey.url) as redis:
            job = running.classify(upload)
            running.wait_under_way(job)
            redis.flushall()
        check_done(running, job)
        assert running.attempts(job) == [1] * N_SHARDS


def test_a_valkey_that_is_killed_and_comes_back_empty_loses_nothing(running: Installation, valkey: Valkey) -> None:
    upload = running.send(make_shards(N_SHARDS, N_EACH))
    with running.holding():
        job = running.classify(upload)
        running.wait_under_way(job)
        valkey.kill()
    # What is under way is finished without it.
    running.wait_for(lambda: len(read_results(running.db, job)) >= N_EACH, END_S, "the chunk to be recorded")
    valkey.start()
    check_done(running, job)
    assert running.attempts(job) == [1] * N_SHARDS


@pytest.mark.slow
def test_a_valkey_that_was_away_for_minutes_is_found_again_within_one(running: Installation, valkey: Valkey) -> None:
    with running.holding():
        job = running.classify(running.send(make_shards(N_SHARDS, N_EACH)))
        running.wait_under_way(job)
        valkey.kill()
    time.sleep(LONG_S)  # long enough for pauses between tries to have grown
    valkey.start()
    check_done(running, job)


@pytest.mark.slow
def test_a_valkey_without_memory_is_named_everywhere_and_work_goes_on_when_it_has_some(
    running: Installation, valkey: Valkey
) -> None:
    upload, page = running.send(make_shards(N_SHARDS, N_EACH)), running.record.address
    logs = sorted((running.data_dir / "logs").glob("*.log"))
    before = sum(log.stat().st_size for log in logs)
    with Redis.from_url(valkey.url) as redis, running.http() as http:
        redis.config_set("maxmemory", 1)
        began_at = time.monotonic()
        job = running.classify(upload)
        running.wait_for(lambda: http.get(f"{page}/readyz").status_code == 503, NAMED_S, "/readyz to say so")
        assert "no memory left" in http.get(f"{page}/readyz").json()["checks"]["broker"]
        assert "pawsort_broker_takes_messages 0" in http.get(f"{page}/metrics").text
        doctor = [sys.executable, "-m", "pawsort.cli", "doctor"]
        told = subprocess.run(doctor, env=running.environment, capture_output=True, text=True, check=False)
        assert (told.returncode, "has no memory left" in told.stdout) == (1, True)
        time.sleep(NAMED_S)  # as long as errors would be logged again and again
        took_s = time.monotonic() - began_at
        redis.config_set("maxmemory", "256mb")
    check_done(running, job)
    assert (sum(log.stat().st_size for log in logs) - before) / took_s < LOG_BYTES_PER_S


@pytest.mark.slow
def test_messages_that_no_task_understands_do_no_harm(running: Installation, valkey: Valkey) -> None:
    app = make_celery(Settings(_env_file=None, redis_url=valkey.url))  # type: ignore[call-arg]
    app.send_task("pawsort.no_such_task", queue="inference")
    app.send_task(RECONCILE, args=["too", "many"], queue="maintenance")
    with Redis.from_url(valkey.url) as redis:
        redis.lpush(KEY_PREFIX + "inference", "not JSON at all")
    job, _ = send_measured(running)
    check_done(running, job, START_S)
