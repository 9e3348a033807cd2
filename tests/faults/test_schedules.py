"""Two real beats at once, and `kill -9` while files are taken in: every run once, every file once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.states import RunState
from core.orm.schedules import Schedule, ScheduleRun
from core.orm.uploads import Image, Upload
from tests.support.installation import END_S, START_S, Installation
from tests.support.paths import ROOT
from tests.support.pictures import jpeg
from tests.support.processes import kill, living, living_below

N_SCHEDULES, N_ROUNDS = 20, 3
N_FILES = 2200  # ten shards, so that the kill finds some still to come
TURN_S = 0.05


@pytest.fixture
def second_beat(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """Another maintenance worker with a beat of its own, as on a second machine."""
    record = installation.record
    addresses = {
        "PAWSORT_DATABASE_URL": record.database_url,
        "PAWSORT_REDIS_URL": record.redis_url,
        "PAWSORT_BLOB_URL": record.blob_url,
    }
    command = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "-Q", "maintenance", "-P", "threads"]
    command += ["-c", "2", "-B", "--scheduler", "celery.beat:Scheduler", "-n", "second@%h", "--without-mingle"]
    root = ROOT
    log = installation.data_dir / "logs" / "second.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=root,
            env=installation.environment | addresses,
            stdout=out,
            stderr=out,
            start_new_session=True,  # so that its beat can be ended with it
        ) as worker,
    ):
        try:
            installation.wait_for(lambda: b"worker_ready" in log.read_bytes(), START_S, "the second beat")
            yield worker
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)


def create(installation: Installation, **schedule: Any) -> int:
    with installation.http() as http:
        answer = http.post("/schedules", json={"cron": "0 0 1 1 *", **schedule})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def make_due(installation: Installation, ids: list[int]) -> None:
    with installation.db.write() as session:
        session.execute(update(Schedule).where(Schedule.id.in_(ids)).values(next_run_at=db_now(-1)))


def ended_runs(installation: Installation, ids: list[int]) -> Counter[int]:
    """How many runs of each schedule have ended."""
    ended = (ScheduleRun.schedule_id.in_(ids)) & ScheduleRun.finished_at.is_not(None)
    with installation.db.read() as session:
        return Counter(session.scalars(select(ScheduleRun.schedule_id).where(ended)).all())


@pytest.mark.slow
def test_two_beats_begin_each_run_of_20_schedules_once(
    installation: Installation, second_beat: subprocess.Popen[bytes]
) -> None:
    told = {"kind": "clean_up", "parameters": {"older_than_days": 36_500}}
    ids = [create(installation, name=f"tidy {n}", **told) for n in range(N_SCHEDULES)]
    for number in range(1, N_ROUNDS + 1):
        make_due(installation, ids)
        wanted = dict.fromkeys(ids, number)
        installation.wait_for(lambda w=wanted: ended_runs(installation, ids) == w, END_S, f"round {number}")
    assert second_beat.poll() is None
    with installation.db.read() as session:
        of_them = select(ScheduleRun).where(ScheduleRun.schedule_id.in_(ids))
        runs = session.scalars(of_them).all()
    assert {(run.state, run.n_due) for run in runs} == {(RunState.DONE, 1)}
    assert len(runs) == N_SCHEDULES * N_ROUNDS


def test_a_killed_worker_that_nobody_watches_over_takes_its_beat_along(
    installation: Installation, second_beat: subprocess.Popen[bytes]
) -> None:
    below = [one.pid for one in living_below(second_beat.pid)]
    assert below
    second_beat.kill()
    second_beat.wait()
    installation.wait_for(lambda: not living(below), 5, "the beat to end")


@pytest.mark.slow
def test_a_killed_maintenance_worker_takes_each_file_in_once(installation: Installation) -> None:
    folder = Path(installation.environment["PAWSORT_IMPORT_ROOTS"]) / "photos"
    folder.mkdir()
    for n in range(N_FILES):
        path = folder / f"{n:04}.jpg"
        path.write_bytes(jpeg(n, size=(24, 24)))
        os.utime(path, (time.time() - 60,) * 2)
    schedule = create(installation, name="incoming", kind="classify", parameters={"source": str(folder)})
    installation.wait_for(lambda: installation.find("maintenance@"), START_S, "the maintenance worker")
    (pid, *_) = installation.find("maintenance@")
    make_due(installation, [schedule])
    installation.wait_for(lambda: run_a_little(pid) or count_shards(installation), END_S, "the first shard")
    kill(pid)  # while it stands still
    installation.wait_for(lambda: not living([pid]), END_S, "the maintenance worker to end")
    installation.wait_for(lambda: ended_runs(installation, [schedule]) == {schedule: 1}, END_S, "the run to end")
    with installation.db.read() as session:
        run = session.scalars(select(ScheduleRun).where(ScheduleRun.schedule_id == schedule)).one()
        paths = session.scalars(select(Image.path).join(Upload).where(Upload.uuid == run.work_uuid)).all()
    assert sorted(paths) == [f"photos/{n:04}.jpg" for n in range(N_FILES)]
    assert run.outcome.startswith(f"{N_FILES:,} files were imported: ")
    assert run.fence > 2  # claimed anew after the kill


def run_a_little(pid: int) -> None:
    """Let a process go on, and stand still again: what is then found is not overtaken by what it does meanwhile."""
    os.kill(pid, signal.SIGCONT)
    time.sleep(TURN_S)
    os.kill(pid, signal.SIGSTOP)


def count_shards(installation: Installation) -> int:
    with installation.db.read() as session:
        of_it = select(Upload.n_shards).join(ScheduleRun, ScheduleRun.work_uuid == Upload.uuid)
        return session.scalar(of_it.order_by(Upload.id.desc()).limit(1)) or 0
