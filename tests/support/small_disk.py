"""A disk that is really full: a memory file system of a few MB, where this machine lets us mount one (Linux, root)."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

FILLER = "filler"


@contextmanager
def small_disk(folder: Path, size: str, **options: str) -> Iterator[Path]:
    """Mount one at a folder that is made for it.

    Args:
        size: As `mount` takes it, such as `2m`.
        options: Others of tmpfs, such as `nr_inodes`.
    """
    folder.mkdir()
    told = ",".join([f"size={size}", "mode=700", *(f"{name}={value}" for name, value in options.items())])
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", told, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine lets us mount no memory file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk of a folder to its last byte; returns the file that does."""
    path = folder / FILLER
    with path.open("wb", buffering=0) as file:
        for size in (2**20, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
        os.fsync(file.fileno())
    return path
