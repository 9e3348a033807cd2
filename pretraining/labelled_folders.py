"""Labelled folders on this machine (`cats/`, `dogs/`) as arrays, for work outside the product's jobs."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.base.errors import ImageError, Invalid
from core.base.network_catalog import CLASSES
from core.decoding.images import decode_image
from core.training.splits import split_of

NEITHER = len(CLASSES)  # the label of images of neither class


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file: its bytes, the class of its folder, and the SHA-256 of its content."""

    data: bytes
    label: int
    sha256: bytes

    @property
    def split(self) -> str:
        """Its split, by the same rule as in the product."""
        return split_of(self.sha256)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one version in the making.

    Attributes:
        data: Folders to train on, each with cats/ and dogs/.
        out: For weights and manifest.
        cache: From which an interrupted run resumes.
        test: Another folder with cats/ and dogs/, measured once, at the end.
        neither: Images of neither class, used together with the drawn negatives.
    """

    data: Sequence[Path]
    out: Path
    cache: Path
    test: Path | None = None
    neither: Path | None = None


def read_folder(folder: Path) -> list[Photograph]:
    """All files of a labelled folder, each content once, ordered by class and name.

    Raises:
        Invalid: A class folder is missing or empty.
    """
    photographs: dict[bytes, Photograph] = {}
    for label, name in enumerate(CLASSES):
        files = sorted(path for path in (folder / f"{name}s").glob("*") if path.is_file())
        if not files:
            raise Invalid(f"{folder}: expected photographs in the folders cats and dogs; {name}s has none.")
        for path in files:
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).digest()
            photographs.setdefault(sha256, Photograph(data, label, sha256))
    return list(photographs.values())


def read_folders(folders: Sequence[Path]) -> list[Photograph]:
    """All files of several labelled folders, each content once, with the label of the first folder.

    Raises:
        Invalid: As `read_folder`.
    """
    photographs: dict[bytes, Photograph] = {}
    for folder in folders:
        for photograph in read_folder(folder):
            photographs.setdefault(photograph.sha256, photograph)
    return list(photographs.values())


def read_negatives(folder: Path) -> list[Photograph]:
    """All files in and below a folder of images of neither class, each content once, ordered by name."""
    photographs: dict[bytes, Photograph] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).digest()
        photographs.setdefault(sha256, Photograph(data, NEITHER, sha256))
    return list(photographs.values())


def decode_all(photographs: Sequence[Photograph], side_px: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Pixels and labels of the files that can be read.

    Args:
        photographs: At least one.
        side_px: Height and width to decode to.
    Returns:
        uint8 (N, side_px, side_px, 3), 0 to 255, their labels int64 (N,), and the number of unreadable files.
    Raises:
        Invalid: None could be read.
    """
    images = np.empty((len(photographs), side_px, side_px, 3), np.uint8)

    def decode(index: int) -> bool:
        try:
            images[index] = decode_image(photographs[index].data, side_px)
        except ImageError:
            return False
        return True

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        good = np.fromiter(pool.map(decode, range(len(photographs))), bool, len(photographs))
    if not good.any():
        raise Invalid(f"Expected photographs; none of {len(photographs)} files can be read as a picture.")
    labels = np.array([photograph.label for photograph in photographs])
    return (images, labels, 0) if good.all() else (images[good], labels[good], int((~good).sum()))


def digest_contents(photographs: Sequence[Photograph]) -> str:
    """SHA-256 over the sorted hashes of all contents with their labels, whatever the file names."""
    lines = sorted(photograph.sha256 + bytes([photograph.label]) for photograph in photographs)
    return hashlib.sha256(b"".join(lines)).hexdigest()
