"""A process of a pool that shows no life is ended; the others, and those that start, are left alone."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.operations import alive_file
from core.operations.alive_file import AliveFile
from tests.support.deadlines import within
from worker.process.pool_watchdog import PoolWatchdog

QUEUE = "inference"
CHECK_S = 1e-9  # so that each look counts
N_CHECKS = 20


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) for _ in range(3)]
    yield started
    for one in started:
        one.kill()
        one.wait()


def test_what_hangs_is_ended_and_nothing_else(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Checks follow each other within microseconds: a process that starts waits longer for a processor.
    monkeypatch.setattr(alive_file, "waited_s", lambda pid: 0.0)
    alive, hanging, starting = processes
    files = {one: AliveFile.of_process(tmp_path, QUEUE, one.pid) for one in (alive, hanging)}
    watchdog = PoolWatchdog(lambda: [one.pid for one in processes], tmp_path, QUEUE, N_CHECKS / 8 * CHECK_S, CHECK_S)
    files[hanging].touch()
    for _ in range(N_CHECKS):
        files[alive].touch()
        watchdog.check()
    assert hanging.wait(within(30)) == -signal.SIGKILL
    assert (alive.poll(), starting.poll()) == (None, None)
    processes.remove(hanging)
    watchdog.check()
    assert files[hanging].read() is None
    assert files[alive].read() is not None


def test_files_of_processes_that_were_killed_together_with_their_worker_are_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PoolWatchdog, "_run", lambda self: None)
    alive, killed = (AliveFile.of_process(tmp_path, QUEUE, pid) for pid in (7, 8))
    others = (AliveFile(tmp_path, QUEUE), AliveFile.of_process(tmp_path, "training", 8))
    monkeypatch.setattr(alive_file.time, "monotonic", lambda: 1000.0)
    for file in (killed, *others):
        file.touch()
    monkeypatch.setattr(alive_file.time, "monotonic", lambda: 1100.0)
    alive.touch()
    PoolWatchdog(list, tmp_path, QUEUE, lease_s=15.0).start()
    assert killed.read() is None
    assert None not in [file.read() for file in (alive, *others)]
