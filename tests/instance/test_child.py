"""One child: started again with growing pauses, its warnings shown sparingly, its end asked for and enforced."""

import errno
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.operations.alive_file import AliveFile, HangCheck
from instance.base.lock import AlreadyRunning, DataDirLock, is_running
from instance.base.programs import Program, child_environment
from instance.supervisor import child as child_module
from instance.supervisor import child_logs
from instance.supervisor.child import Child, ChildContext, describe_exit
from instance.supervisor.child_logs import ChildLog, rotate
from instance.supervisor.guard_client import GuardClient
from tests.support.waiting import until


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def context(tmp_path: Path, said: list[str]) -> Iterator[ChildContext]:
    with DataDirLock(tmp_path, said.append) as lock:
        guard = GuardClient(lock.shared_fd)
        yield ChildContext(tmp_path, child_environment(), lock.shared_fd, guard, said.append)
        guard.close()


def make_child(context: ChildContext, code: str, name: str = "worker") -> Child:
    return Child(Program(name, [sys.executable, "-c", code]), ChildLog(context.cwd / f"{name}.log"), context)


def tend(child: Child, seconds: float) -> None:
    began_at = time.monotonic()
    while time.monotonic() - began_at < seconds:
        child.check()
        time.sleep(0.01)


def test_the_sign_of_life_of_an_earlier_process_with_the_same_number_does_not_count(
    context: ChildContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AliveFile(context.cwd, "worker")
    monkeypatch.setattr(AliveFile, "of_process", lambda *_: file)
    file.touch()
    program = Program("worker", [sys.executable, "-c", "import time; time.sleep(600)"], silent_s=60.0)
    child = Child(program, ChildLog(context.cwd / "worker.log"), context)
    child.check()
    assert file.read() is None
    child.kill()
    child.log.close()


def test_a_dying_child_is_started_again_with_growing_pauses(
    context: ChildContext, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "FIRST_PAUSE_S", 0.1)
    child = make_child(context, "import sys; sys.exit('no network')")
    until(lambda: child.check() or len(said) >= 3, 30, "three deaths")
    child.kill()
    child.log.close()
    assert "worker ended (exit code 1); restarting it in 0.1 s." in said[0]
    assert "0.2 s." in said[1]
    assert "0.4 s." in said[2]
    assert "The last line" not in said[0]
    assert "no network" in said[1]
    assert child.n_deaths == len(said) == 3


def test_a_child_that_lived_long_is_started_again_at_once(
    context: ChildContext, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(child_module, "STABLE_AFTER_S", 0.0)
    child = make_child(context, "")
    until(lambda: child.check() or len(said) >= 3, 30, "three deaths")
    child.kill()
    child.log.close()
    assert all("0.05 s" in sentence for sentence in said)


def test_stopping_asks_first_and_kills_whoever_does_not_listen(context: ChildContext) -> None:
    listening = make_child(context, "import time; print('up', flush=True); time.sleep(60)", "listening")
    deaf = make_child(
        context,
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
        "deaf",
    )
    for child in (listening, deaf):
        child.check()
        until(lambda child=child: "up" in child.log.last_lines(), 10, "the child to be up")
        child.ask_to_stop()
    until(listening.has_ended, 5, "the listening one to end")
    assert not deaf.has_ended()
    deaf.kill()
    assert deaf.has_ended()
    for child in (listening, deaf):
        child.log.close()


def test_a_child_that_stops_showing_life_is_ended_and_started_again(
    context: ChildContext, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HangCheck.__init__, "__defaults__", (0.01,))  # seconds between two checks
    program = Program("worker", [sys.executable, "-c", "import time; time.sleep(600)"], silent_s=0.05)
    child = Child(program, ChildLog(context.cwd / "worker.log"), context)
    child.check()
    first = child.pid
    assert first is not None
    tend(child, 0.3)  # it is starting, however long that takes
    assert said == []
    AliveFile.of_process(context.cwd, "worker", first).touch()
    until(lambda: child.check() or (child.pid not in (None, first)), 30, "another process")
    child.kill()
    child.log.close()
    assert said[0] == "worker is not responding; ending it."
    assert "killed by SIGKILL" in said[1]


def test_warnings_are_shown_once_in_a_while_and_other_lines_never(context: ChildContext, said: list[str]) -> None:
    lines = ["[INFO] fine", "[2026-01-01 00:00:00 +0000] [7] [WARNING] slow", "[warning  ] slower", "[ERROR] bad"]
    child = make_child(context, f"import time\nfor line in {lines!r}: print(line, flush=True)\ntime.sleep(60)")
    child.check()
    until(lambda: "bad" in child.log.last_lines(), 10, "the child to write")
    tend(child, 0.2)
    child.kill()
    assert said == [f"worker: [2026-01-01 00:00:00 +0000] [7] [WARNING] slow (and 2 more in {child.log.path})"]
    child.log.close()


def test_logs_are_rotated_and_three_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    for number in range(5):
        rotate(path)
        path.write_text(str(number))
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "web.log": "4",
        "web.1.log": "3",
        "web.2.log": "2",
    }


def test_a_log_that_grows_too_large_begins_anew_and_is_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instance.supervisor.child_logs.MAX_BYTES", 1000)
    log = ChildLog(tmp_path / "web.log")
    with log.path.open("a") as out:
        out.write("fine\n" * 500)
        out.flush()
        assert log.new_warning() is None
        assert log.path.stat().st_size == 0
        out.write("[ERROR] late\n")
    assert log.new_warning() == "[ERROR] late"
    assert (tmp_path / "web.1.log").stat().st_size == 2500
    log.close()


def test_the_lock_waits_for_children_of_an_earlier_run_and_then_gives_up(tmp_path: Path) -> None:
    said: list[str] = []
    with DataDirLock(tmp_path, said.append) as earlier:
        guard = GuardClient(earlier.shared_fd)
        context = ChildContext(tmp_path, child_environment(), earlier.shared_fd, guard, said.append)
        child = make_child(context, "import time; time.sleep(60)")
        child.check()
        assert is_running(tmp_path)
    assert not is_running(tmp_path)
    with pytest.raises(AlreadyRunning, match="earlier run"), DataDirLock(tmp_path, said.append, wait_s=0.3):
        pass
    assert said == ["Waiting for processes of an earlier run to end."]
    child.kill()
    guard.close()
    child.log.close()
    with DataDirLock(tmp_path, said.append, wait_s=5):
        assert is_running(tmp_path)


def test_nothing_runs_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert not is_running(tmp_path)


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-signal.SIGKILL, "killed by SIGKILL"), (-63, "killed by signal 63")],
)
def test_exit_codes_are_said_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_a_log_that_the_disk_has_no_room_to_copy_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(child_logs, "MAX_BYTES", 10)
    monkeypatch.setattr(shutil, "copyfile", copy)
    log = ChildLog(tmp_path / "web.log")
    os.write(log.fileno(), b"a line that is longer than ten bytes\n")
    log.new_warning()
    log.close()
    assert log.path.stat().st_size == 0
