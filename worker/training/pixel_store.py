"""Memory for pixels: arrays are in memory as long as they fit, and in files otherwise."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.base.errors import Invalid

T = TypeVar("T", bound=np.generic)

MIB = 2**20
NEEDED_BYTES = 768 * MIB  # TensorFlow, a small network and its optimizer
SHARE = 0.5  # of free memory; the rest is for training itself and for other processes
CGROUP = Path("/sys/fs/cgroup")
# Limit and use of memory: in version 2 of control groups, and in version 1.
CGROUP_FILES = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


class PixelStore:
    """Makes arrays for images.

    Args:
        folder: For files when memory is short; each is deleted when its process ends.
        free_bytes: Free memory.
    Raises:
        Invalid: There is not enough memory to train at all.
    """

    def __init__(self, folder: Path, free_bytes: int) -> None:
        if free_bytes < NEEDED_BYTES:
            raise Invalid(
                f"Training needs at least {NEEDED_BYTES // MIB} MiB of free memory; {free_bytes // MIB} MiB are free."
                " End other programs and retry the job, or run a training worker on another machine."
            )
        self._folder = folder
        self._left = int((free_bytes - NEEDED_BYTES) * SHARE)

    def make_images(self, n: int, side_px: int) -> NDArray[np.uint8]:
        """An array uint8 (n, side_px, side_px, 3), as from `make`."""
        return self.make((n, side_px, side_px, 3), np.uint8)

    def make(self, shape: tuple[int, ...], dtype: type[T]) -> NDArray[T]:
        """An array in memory or in a file, with undefined values.

        Raises:
            Invalid: There is not enough memory or disk space.
        """
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if n_bytes <= self._left:
            self._left -= n_bytes
            return np.empty(shape, dtype)
        self._folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._folder).free
        if n_bytes > free:
            raise Invalid(
                f"The pictures need {n_bytes // MIB} MiB; {self._left // MIB} MiB of memory and {free // MIB} MiB of"
                f" disk space in {self._folder} are free for them. Free disk space, or train on fewer pictures."
            )
        with tempfile.TemporaryFile(dir=self._folder) as file:  # without a name, so a killed process leaves no file
            return np.memmap(file, dtype, "w+", shape=shape)


def free_bytes() -> int:
    """Free memory for this process: of the machine, or of its control group if that is less."""
    machine = _meminfo("MemAvailable")
    if machine is None:  # not Linux: half of the installed memory
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    groups = (_left(CGROUP / limit, CGROUP / used) for limit, used in CGROUP_FILES)
    return min([machine, *(left for left in groups if left is not None)])


def _left(limit: Path, used: Path) -> int | None:
    """What a control group has left; None without a limit."""
    limit_bytes, used_bytes = _number(limit), _number(used)
    return None if limit_bytes is None or used_bytes is None else max(0, limit_bytes - used_bytes)


def _meminfo(name: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
