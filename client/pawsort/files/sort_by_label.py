"""Pictures on one's own disk, sorted into folders by label, without sending them anywhere.

    results of the job ─► where is this content? ─► label/path ─► hard link, copy, or moved

Repeated, it finds everything in its place and changes nothing.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path, PurePosixPath

from pawsort.files.contents import Contents, Hashes, Originals
from pawsort.files.place_file import Way, finish_move, place

UNLABELLED = "unlabelled"


class By(StrEnum):
    """Whose label decides: the model's, the person's, or the person's where there is one."""

    FINAL = "final"
    MODEL = "model"
    PERSON = "person"


COLUMN_OF = {By.FINAL: "final_label", By.MODEL: "label", By.PERSON: "human_label"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One line of a job's results; `label` None for a file that has none because of an error."""

    path: str
    sha256: bytes
    label: str | None


@dataclass
class Sorted:
    """What came of it: paths as they were sent."""

    placed: Counter[str] = field(default_factory=Counter)
    n_there: int = 0
    n_without_label: int = 0
    missing: list[str] = field(default_factory=list)
    elsewhere: list[tuple[str, Path]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every labelled picture is in its place."""
        return not self.missing and not self.elsewhere


def read_pictures(blocks: Iterable[bytes], by: By) -> Iterator[Picture]:
    """The pictures in an export as JSON Lines."""
    for line in _lines(blocks):
        row = json.loads(line)
        label = row[COLUMN_OF[by]] or (None if row["error_code"] else UNLABELLED)
        yield Picture(row["path"], bytes.fromhex(row["sha256"]), label)


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


class Sorter:
    """One call of `pawsort sort`.

    Args:
        source: The folder that was sent, or that holds what was sent.
        target: Where folders by label are made.
        is_flat: No folders below those of the labels.
        is_dry: Say what would be done, and do nothing.
    """

    def __init__(self, source: Path, target: Path, way: Way, is_flat: bool = False, is_dry: bool = False) -> None:
        self._hashes = Hashes()
        self._originals = Originals(source, self._hashes, without=target)
        self._before = Contents(target, self._hashes)
        self._target = target
        self._way = way
        self._is_flat = is_flat
        self._is_dry = is_dry
        self._given: set[Path] = set()
        self.outcome = Sorted()

    def sort(self, pictures: Iterable[Picture]) -> Sorted:
        """Bring all pictures to their places.

        Raises:
            ClientError: A file cannot be placed; what was done before stays.
        """
        for picture in pictures:
            if picture.label is None:
                self.outcome.n_without_label += 1
            else:
                self._sort(picture, picture.label)
        return self.outcome

    def _sort(self, picture: Picture, label: str) -> None:
        """Look at the place, then for the file, then whether somebody has put it into another folder."""
        for target in self._places(picture, label):
            if target in self._given:
                continue
            if not os.path.lexists(target):
                break
            if self._hashes.of(target) == picture.sha256:
                self._given.add(target)
                self._is_there(picture, target)
                return
        if moved := self._find_elsewhere(picture.sha256):
            self._given.add(moved)
            self.outcome.elsewhere.append((picture.path, moved))
            return
        source = self._originals.find(picture.path, picture.sha256)
        if source is None:
            self.outcome.missing.append(picture.path)
            return
        if not self._is_dry:
            place(source, target, picture.sha256, self._way)
        if self._way == Way.MOVE:
            self._originals.forget(source)
        self._given.add(target)
        self.outcome.placed[label] += 1

    def _is_there(self, picture: Picture, target: Path) -> None:
        self.outcome.n_there += 1
        if self._way != Way.MOVE or self._is_dry:
            return
        source = self._originals.find_at(picture.path)
        if source is not None and finish_move(source, target):
            self._originals.forget(source)

    def _find_elsewhere(self, sha256: bytes) -> Path | None:
        """A file of this content that stood below the target before and is no other picture's."""
        return next((file for file in self._before.with_content(sha256) if file not in self._given), None)

    def _places(self, picture: Picture, label: str) -> Iterator[Path]:
        """Where it belongs, and the same with numbers for where something else has that name."""
        parts = [_safe(part) for part in picture.path.split("/") if part not in ("", ".")] or ["_"]
        folder = self._target.joinpath(_safe(label), *([] if self._is_flat else parts[:-1]))
        name = PurePosixPath(parts[-1])
        yield folder / name
        for number in count(2):
            yield folder / f"{name.stem} ({number}){name.suffix}"


def _safe(part: str) -> str:
    """One part of a path that stays below where it is put, whatever the server says."""
    return "_" if part in ("", ".", "..") else part.replace("/", "_").replace("\0", "_")
