"""Real Celery workers: each process that takes work enters itself, beats, and says when it stops."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from core.base.config import Settings
from core.base.database import Database
from core.messaging.broker import RECONCILE
from core.models import registry
from core.operations import workers
from core.operations.alive_file import AliveFile
from core.operations.instance_record import InstanceRecord
from core.orm.operations import Worker
from instance.base import programs
from tests.support.deadlines import within
from tests.support.factories import make_manifest
from tests.support.paths import ROOT
from tests.support.waiting import until

DATABASES = ("sqlite",)  # nothing here depends on the kind
WAIT_S = 60.0


CELERY = (sys.executable, "-m", "celery", "-A", "worker.app")


@contextmanager
def celery(settings: Settings, queue: str, pool: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of one queue, in a session of its own: one for trainings makes all of its session give way."""
    command = [*CELERY, "worker", "-Q", queue, "-P", pool, "-c", "1"]
    env = {
        "PAWSORT_DATA_DIR": str(settings.data_dir),
        "PAWSORT_DATABASE_URL": settings.database_url,
        "PAWSORT_REDIS_URL": settings.redis_url,
        "PAWSORT_BLOB_URL": settings.blob_url,
        "REMAP_SIGTERM": "SIGQUIT",
    }
    with subprocess.Popen(
        [*command, "--without-gossip", "--without-mingle"],
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the processes of its pool


def wait_for(db: Database, queue: str, n: int) -> list[Worker]:
    """The workers that are alive, once there are so many of the queue."""

    def those_alive() -> list[Worker]:
        with db.read() as session:
            alive = workers.list_alive(session, 15.0)
        return alive if [one.queue for one in alive] == [queue] * n else []

    return until(those_alive, WAIT_S)


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
        process.wait(within(WAIT_S))
        with db.read() as session:
            assert session.get_one(Worker, worker.id).stopped_at is not None


@pytest.mark.slow
def test_celery_s_own_commands_find_the_broker_and_a_beat_of_its_own_ticks(settings: Settings, db: Database) -> None:
    """Nothing but the data directory is in their environment."""
    servers = (settings.redis_url, settings.database_url, settings.blob_url)
    InstanceRecord("http://127.0.0.1:1", "token", os.getpid(), *servers).write(settings.data_dir)
    here = {name: value for name, value in os.environ.items() if not name.startswith("PAWSORT_")}
    here |= {"PAWSORT_DATA_DIR": str(settings.data_dir), "PAWSORT_RECONCILE_S": "1"}

    def ask(*words: str) -> str:
        run = subprocess.run([*CELERY, *words], cwd=ROOT, env=here, capture_output=True, text=True, check=False)
        return run.stdout

    def has_ticked() -> bool:
        return RECONCILE in ask("inspect", "stats", "--json")

    alive_file = AliveFile(settings.data_dir, "beat")
    with celery(settings, "maintenance", "threads"):
        wait_for(db, "maintenance", 1)
        with subprocess.Popen(programs.beat().command, cwd=ROOT, env=here) as beat:
            try:
                until(has_ticked, WAIT_S)
                assert alive_file.is_fresh(within(WAIT_S))
                assert "1 node online" in ask("status")
            finally:
                beat.terminate()
            assert beat.wait(within(WAIT_S)) == 0
