"""Arrays in a file from which long work outside the product's jobs goes on."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write beside, then rename: a kill leaves the old arrays or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    os.replace(beside, path)


def find(path: Path) -> dict[str, NDArray[Any]] | None:
    """What was saved, or None."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        return dict(kept)
