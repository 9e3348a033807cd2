"""Which GPUs there are, and which process gets which."""

from pathlib import Path

import pytest

from core.base import gpus
from core.base.config import Settings
from core.base.errors import ConfigError
from instance.base import programs


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """What NVIDIA's driver shows on a machine with three."""
    for name in ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    return tmp_path / "gpus"


@pytest.mark.parametrize(
    ("visible", "expected"),
    [("0,2", ["0", "2"]), ("GPU-8a6b, 1", ["GPU-8a6b", "1"]), ("", []), ("-1", []), ("1,-1,2", ["1"])],
)
def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, visible: str, expected: list[str]) -> None:
    monkeypatch.setenv(gpus.VISIBLE, visible)
    assert gpus.list_gpus() == expected


def test_without_a_word_all_of_the_driver_count(monkeypatch: pytest.MonkeyPatch, driver: Path, tmp_path: Path) -> None:
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    assert gpus.list_gpus(driver) == ["0", "1", "2"]
    assert gpus.list_gpus(tmp_path / "nothing") == []
    assert gpus.claim_gpu(0, tmp_path / "nothing") is None


def test_processes_take_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    for slot in range(4):
        monkeypatch.setenv(gpus.VISIBLE, "4,7")
        taken.append(gpus.claim_gpu(slot))
    assert taken == ["4", "7", "4", "7"]


def test_there_are_so_many_processes_for_each_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def processes(**settings: int) -> str:
        command = programs.worker("inference", Settings(**settings)).command  # type: ignore[arg-type]
        return command[command.index("-c") + 1]

    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    assert processes(processes_per_gpu=3, inference_processes=4) == "6"
    assert processes(inference_processes=4) == "4"
    monkeypatch.setenv(gpus.VISIBLE, "")
    assert processes(processes_per_gpu=3, inference_processes=4) == "4"


def test_a_gpu_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, driver: Path, tmp_path: Path) -> None:
    monkeypatch.setenv(gpus.VISIBLE, "2,GPU-8a6b")
    gpus.check_gpus(driver)
    monkeypatch.setenv(gpus.VISIBLE, "0,3")
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES: there is no GPU 3; this machine has 3"):
        gpus.check_gpus(driver)
    gpus.check_gpus(tmp_path / "nothing")  # where the driver says nothing, nothing is known
