"""Room for pixels: memory first, then a file that leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest

from core.base.errors import Invalid
from worker.training import pixel_store
from worker.training.pixel_store import MIB, NEEDED_BYTES, PixelStore, free_bytes


def test_pixels_stay_in_memory_while_they_fit_and_go_to_a_file_when_not(tmp_path: Path) -> None:
    store = PixelStore(tmp_path / "pixels", NEEDED_BYTES + 2 * MIB)  # half of it, one MiB, is for pixels
    small, large = store.make_images(100, 32), store.make_images(1000, 32)
    assert type(small) is np.ndarray
    assert isinstance(large, np.memmap)
    large[999] = 7
    assert (large.shape, large.dtype, int(large[999, 31, 31, 2])) == ((1000, 32, 32, 3), np.uint8, 7)
    assert list((tmp_path / "pixels").iterdir()) == []


def test_what_has_been_given_is_no_longer_there(tmp_path: Path) -> None:
    store = PixelStore(tmp_path, NEEDED_BYTES + 2 * MIB)
    assert [isinstance(store.make_images(300, 32), np.memmap) for _ in range(2)] == [False, True]


def test_a_machine_without_memory_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=f"at least {NEEDED_BYTES // MIB} MiB of free memory; 100 MiB are free"):
        PixelStore(tmp_path, 100 * MIB)


def test_a_disk_without_room_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Free disk space, or train on fewer pictures"):
        PixelStore(tmp_path, NEEDED_BYTES).make_images(10**9, 224)


def test_free_memory_is_a_plausible_number() -> None:
    assert 16 * MIB < free_bytes() < 2**50


@pytest.mark.parametrize("version", pixel_store.CGROUP_FILES, ids=["2", "1"])
def test_the_limit_of_a_container_is_seen(
    version: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_store, "CGROUP", tmp_path)
    for name, n_bytes in zip(version, (64 * MIB, 60 * MIB), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{n_bytes}\n")
    assert free_bytes() == 4 * MIB
