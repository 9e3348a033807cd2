"""The sign of life of a worker for health checks."""

import errno
from pathlib import Path

import pytest

from core.operations import alive_file
from core.operations.alive_file import AliveFile, HangCheck


def test_a_worker_is_alive_for_as_long_as_its_last_sign_is_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AliveFile(tmp_path, "inference")
    assert not file.is_fresh(15)
    now = 1000.0
    monkeypatch.setattr(alive_file.time, "monotonic", lambda: now)
    file.touch()
    assert file.is_fresh(15)
    assert not AliveFile(tmp_path, "training").is_fresh(15)
    now = 1016.0
    assert not file.is_fresh(15)
    now = 5.0  # the machine started again
    assert not file.is_fresh(15)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_does_not_end_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, *_: object) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    AliveFile(tmp_path / "nothing", "inference").touch()
    moments = [100.5]
    monkeypatch.setattr(alive_file.time, "monotonic", lambda: moments[-1])
    file = AliveFile(tmp_path, "inference")
    file.touch()
    monkeypatch.setattr(Path, "write_text", write)
    for moment in (200.0, 5.0):
        before = file.read()
        moments.append(moment)
        file.touch()
        assert file.is_fresh(0)
        assert file.read() != before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_process_hangs_when_many_checks_in_a_row_find_the_same_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(alive_file.time, "monotonic", lambda: now)
    file = AliveFile.of_process(tmp_path, "inference", 7)
    monkeypatch.setattr(alive_file, "waited_s", lambda pid: waited)
    waited = 0.0
    check = HangCheck(file, pid=7, silent_s=3.0)

    def look() -> bool:
        nonlocal now
        now += 1.0
        return check.hangs()

    assert not any(look() for _ in range(10))  # it is starting
    for _ in range(10):
        file.touch()
        assert not look()
    assert not any(check.hangs() for _ in range(10))  # no time goes by between these
    now += 3600  # the machine was stopped
    assert [look() for _ in range(4)] == [False, False, False, True]
    file.touch()
    assert not look()
    waited += 10.0  # of these, it was ready to run
    assert not any(look() for _ in range(13))
    assert look()
    file.touch()
    assert not look()
    file.remove()
    assert not any(look() for _ in range(10))
