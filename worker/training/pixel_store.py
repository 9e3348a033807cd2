"""Room for pixels: decoded pictures stay in memory while they fit, and go to a file when they do not."""

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
SHARE = 0.5  # of what is free: the rest is for training itself, and for everybody else on the machine
CGROUP = Path("/sys/fs/cgroup")


class PixelStore:
    """Makes arrays for pictures.

    Args:
        folder: Where files go when memory is short; each vanishes with the process that made it.
        free_bytes: How much memory is free.
    Raises:
        Invalid: There is too little memory to train at all.
    """

    def __init__(self, folder: Path, free_bytes: int) -> None:
        if free_bytes < NEEDED_BYTES:
            raise Invalid(
                f"Training needs at least {NEEDED_BYTES // MIB} MiB of free memory; {free_bytes // MIB} MiB are free."
                " End other programs and retry the job, or run a training worker on another machine."
            )
        self._folder = folder
        self._left = int((free_bytes - NEEDED_BYTES) * SHARE)

    def make_pictures(self, n: int, side_px: int) -> NDArray[np.uint8]:
        """An array uint8 (n, side_px, side_px, 3); as `make`."""
        return self.make((n, side_px, side_px, 3), np.uint8)

    def make(self, shape: tuple[int, ...], dtype: type[T]) -> NDArray[T]:
        """An array in memory or in a file; its first axis or axes count pictures.

        Raises:
            Invalid: Neither has the room.
        """
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if n_bytes <= self._left:
            self._left -= n_bytes
            return np.empty(shape, dtype)
        self._folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._folder).free
        if n_bytes > free:
            raise Invalid(
                f"The pictures need {n_bytes // MIB} MiB; memory has {self._left // MIB} MiB for them and"
                f" the disk of {self._folder} {free // MIB} MiB. Make room, or train on fewer pictures."
            )
        with tempfile.TemporaryFile(dir=self._folder) as file:  # without a name: a kill leaves nothing behind
            return np.memmap(file, dtype, "w+", shape=shape)


def free_bytes() -> int:
    """How much memory this process may still take: of the machine, or of its control group if that has less."""
    machine = _meminfo("MemAvailable")
    if machine is None:  # not Linux: half of what is built in
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    return machine if limit is None or used is None else max(0, min(machine, limit - used))


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
