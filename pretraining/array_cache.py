"""Arrays in a file, from which long work outside the product's jobs resumes."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write a temporary file, then rename it: an interruption leaves the old arrays or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(temporary, path)


def find(path: Path) -> dict[str, NDArray[Any]] | None:
    """The saved arrays, or None."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)
