"""Real Celery workers: each process that takes work enters itself, beats, and says when it stops."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.base.config import Settings
from core.base.database import Database
from core.models import registry
from core.operations import workers
from core.orm.workers import Worker
from tests.factories import make_manifest

DATABASES = ("sqlite",)  # nothing here depends on the kind
ROOT = Path(__file__).parents[2]
WAIT_S = 60.0


@contextmanager
def celery(settings: Settings, queue: str, pool: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of one queue."""
    command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-Q", queue, "-P", pool, "-c", "1"]
    env = {
        "PAWSORT_DATA_DIR": str(settings.data_dir),
        "PAWSORT_DATABASE_URL": settings.database_url,
        "PAWSORT_REDIS_URL": settings.redis_url,
        "PAWSORT_BLOB_URL": settings.blob_url,
        "REMAP_SIGTERM": "SIGQUIT",
    }
    with subprocess.Popen(
        [*command, "--without-gossip", "--without-mingle"], cwd=ROOT, env=os.environ | env, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(db: Database, queue: str, n: int) -> list[Worker]:
    """The workers that are alive, once there are so many of the queue."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        with db.read() as session:
            alive = workers.list_alive(session, 15.0)
        if [one.queue for one in alive] == [queue] * n:
            return alive
        time.sleep(0.1)
    raise AssertionError(f"expected {n} workers of {queue}, found {[one.queue for one in alive]}")


@pytest.mark.parametrize(("queue", "pool"), [("maintenance", "threads"), ("training", "prefork")])
def test_a_worker_beats_while_it_runs_and_says_that_it_stops(
    settings: Settings, db: Database, queue: str, pool: str
) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    with celery(settings, queue, pool) as process:
        (worker,) = wait_for(db, queue, 1)
        assert {"python", "pawsort"} <= worker.versions.keys()
        process.terminate()
        process.wait(WAIT_S)
        with db.read() as session:
            assert session.get_one(Worker, worker.id).stopped_at is not None
