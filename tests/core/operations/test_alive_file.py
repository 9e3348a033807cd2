"""The sign of life of a worker for health checks."""

from pathlib import Path

import pytest

from core.operations import alive_file
from core.operations.alive_file import AliveFile


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


def test_a_full_disk_does_not_end_the_worker(tmp_path: Path) -> None:
    AliveFile(tmp_path / "nothing", "inference").touch()
