"""What is left when a supervisor is killed: nothing. Real processes, real signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from instance.base.lock import DataDirLock
from instance.base.programs import child_environment
from instance.supervisor.guard_client import GuardClient
from tests.support.deadlines import within
from tests.support.processes import is_alive, read_pids
from tests.support.waiting import until


@pytest.fixture
def supervisor(tmp_path: Path) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.small_supervisor", str(tmp_path)], env=child_environment()
    )
    yield process
    process.kill()
    process.wait()


def all_pids(folder: Path) -> list[int]:
    return read_pids(folder / "one.pids") + read_pids(folder / "two.pids")


def none_alive(pids: list[int]) -> bool:
    return not any(is_alive(pid) for pid in pids)


def test_killing_the_supervisor_ends_children_and_grandchildren(
    tmp_path: Path, supervisor: "subprocess.Popen[bytes]"
) -> None:
    pids = all_pids(tmp_path)
    assert all(is_alive(pid) for pid in pids)
    supervisor.kill()
    supervisor.wait()
    until(lambda: none_alive(pids), 5, "children and grandchildren to end")
    until(lambda: not (tmp_path / "private").exists(), 5, "the private folder to be removed")


def test_a_guard_that_dies_is_replaced_by_one_that_knows_everything(
    tmp_path: Path, supervisor: "subprocess.Popen[bytes]"
) -> None:
    pids = all_pids(tmp_path)
    guard = read_pids(tmp_path / "guard.pid")[0]
    os.kill(guard, signal.SIGKILL)
    until(lambda: read_pids(tmp_path / "guard.pid")[:1] not in ([], [guard]), 5, "another guard")
    supervisor.kill()
    supervisor.wait()
    until(lambda: none_alive(pids), 5, "children and grandchildren to end")


def test_a_child_that_is_killed_takes_its_own_children_along_and_comes_back(
    tmp_path: Path, supervisor: "subprocess.Popen[bytes]"
) -> None:
    father, son = read_pids(tmp_path / "one.pids")
    os.kill(father, signal.SIGKILL)
    until(lambda: none_alive([father, son]), 5, "both to end")
    until(lambda: read_pids(tmp_path / "one.pids")[0] != father, 10, "a successor")
    assert all(is_alive(pid) for pid in all_pids(tmp_path))


def test_a_second_instance_is_refused_while_the_first_one_lives(
    tmp_path: Path, supervisor: "subprocess.Popen[bytes]"
) -> None:
    all_pids(tmp_path)
    second = subprocess.run(
        [sys.executable, "-m", "pawsort.cli", "up", "--data", str(tmp_path)],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=within(30),
        check=False,
    )
    assert second.returncode == 1
    assert f"Pawsort already runs on {tmp_path}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_path_that_is_no_utf_8_is_removed_too(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    with DataDirLock(tmp_path, print) as lock:
        guard = GuardClient(lock.shared_fd)
        guard.add_path(folder)
        guard.close()
    assert not folder.exists()
