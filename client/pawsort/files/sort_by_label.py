"""Sort pictures on this disk into folders by label, without uploading them.

    results of the job ─► where is this content? ─► label/path ─► hard link, copy, or move

Repeated, it finds everything in its place and changes nothing.
"""

import json
import os
import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pawsort.files.content_index import ContentIndex, FileHashes, OriginalFinder
from pawsort.files.place_file import PlacementMode, finish_move, place_file
from pawsort.files.safe_names import safe_name

UNLABELLED = "unlabelled"
UNSURE = "unsure"
PROBABLY_NEITHER = "unsure/probably_neither"


class LabelSource(StrEnum):
    """Whose labels to use: the model's, people's, or people's where there is one and else the model's."""

    FINAL = "final"
    MODEL = "model"
    PERSON = "person"


COLUMN_OF = {LabelSource.FINAL: "final_label", LabelSource.MODEL: "label", LabelSource.PERSON: "human_label"}


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One line of a job's results. `folder` is that of its label; None for a file with an error."""

    path: str
    sha256: bytes
    folder: str | None


@dataclass
class SortSummary:
    """What was done with the pictures. Paths are those of the upload.

    Attributes:
        in_place: SHA-256 and folder of each picture that was placed, or was there already.
        renamed: Pictures whose names Windows does not accept, and where they belong instead.
    """

    placed: Counter[str] = field(default_factory=Counter)
    n_already_placed: int = 0
    in_place: list[tuple[bytes, str]] = field(default_factory=list)
    n_without_label: int = 0
    missing: list[str] = field(default_factory=list)
    elsewhere: list[tuple[str, Path]] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether every labelled picture is in its place."""
        return not self.missing and not self.elsewhere


def read_pictures(blocks: Iterable[bytes], source: LabelSource) -> Iterator[LabelledPicture]:
    """Iterate over the pictures of an export as JSON Lines."""
    for line in _lines(blocks):
        row = json.loads(line)
        yield LabelledPicture(row["path"], bytes.fromhex(row["sha256"]), _folder_of(row, row[COLUMN_OF[source]]))


def _folder_of(row: dict[str, Any], label: str | None) -> str | None:
    if label == UNSURE and (row["p_neither"] or 0) > 0.5:
        return PROBABLY_NEITHER
    return label or (None if row["error_code"] else UNLABELLED)


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
        source: The folder that was uploaded, or one that contains its files.
        target: Where the folders of the labels are created.
        is_flat: No folders below those of the labels.
        is_dry: Do nothing, and report what would be done.
    """

    def __init__(
        self, source: Path, target: Path, mode: PlacementMode, is_flat: bool = False, is_dry: bool = False
    ) -> None:
        self._hashes = FileHashes()
        self._originals = OriginalFinder(source, self._hashes, without=target)
        self._files_before = ContentIndex(target, self._hashes)
        self._target = target
        self._mode = mode
        self._is_flat = is_flat
        self._is_dry = is_dry
        self._placed: set[Path] = set()
        self._names: dict[str, _NumberedNames] = {}
        self._elsewhere: dict[bytes, Iterator[Path]] = {}
        self.summary = SortSummary()

    def sort(self, pictures: Iterable[LabelledPicture]) -> SortSummary:
        """Put all pictures into their places.

        Raises:
            ClientError: A file cannot be placed. Files placed before stay where they are.
        """
        for picture in pictures:
            if picture.folder is None:
                self.summary.n_without_label += 1
            else:
                self._sort(picture, picture.folder)
        return self.summary

    def _sort(self, picture: LabelledPicture, folder: str) -> None:
        """Check its place, then whether a user moved it to another folder, then place the original."""
        target, is_there = self._find_target(picture, folder)
        if is_there:
            self._placed.add(target)
            self.summary.in_place.append((picture.sha256, folder))
            self._finish(picture, target)
            return
        if moved := self._find_elsewhere(picture.sha256):
            self._placed.add(moved)
            self.summary.elsewhere.append((picture.path, moved))
            return
        source = self._originals.find(picture.path, picture.sha256)
        if source is None:
            self.summary.missing.append(picture.path)
            return
        if not self._is_dry:
            place_file(source, target, picture.sha256, self._mode)
        if self._mode == PlacementMode.MOVE:
            self._originals.forget(source)
        self._placed.add(target)
        self.summary.placed[folder] += 1
        self.summary.in_place.append((picture.sha256, folder))

    def _finish(self, picture: LabelledPicture, target: Path) -> None:
        self.summary.n_already_placed += 1
        if self._mode != PlacementMode.MOVE or self._is_dry:
            return
        source = self._originals.find_at(picture.path)
        if source is not None and finish_move(source, target):
            self._originals.forget(source)

    def _find_elsewhere(self, sha256: bytes) -> Path | None:
        """Find a file with this content that was below the target before, and belongs to no other picture."""
        if sha256 not in self._elsewhere:
            self._elsewhere[sha256] = iter(self._files_before.with_content(sha256))
        return next((file for file in self._elsewhere[sha256] if file not in self._placed), None)

    def _find_target(self, picture: LabelledPicture, folder: str) -> tuple[Path, bool]:
        """Find its place, numbered if other files have that name, and whether the picture is there already."""
        parts = [part for part in picture.path.split("/") if part not in ("", ".")] or ["_"]
        parts = parts[-1:] if self._is_flat else parts
        safe = [safe_name(part) for part in parts]
        if safe != parts:
            self.summary.renamed.append((picture.path, "/".join([folder, *safe])))
        home = self._target.joinpath(*map(safe_name, folder.split("/")), *safe)
        key = unicodedata.normalize("NFC", str(home)).casefold()  # some file systems take such names for one
        names = self._names.setdefault(key, _NumberedNames(home, self._hashes))
        return names.find(picture.sha256, self._placed)


class _NumberedNames:
    """One name, and the same with numbers. Each number is looked at once, however many files have the name."""

    def __init__(self, home: Path, hashes: FileHashes) -> None:
        self._home = home
        self._hashes = hashes
        self._number = 1
        self._passed: dict[bytes | None, deque[Path]] = defaultdict(deque)  # files of other contents, by content

    def find(self, sha256: bytes, placed: Set[Path]) -> tuple[Path, bool]:
        """Find the file with this content that belongs to no other picture, else the first free name.

        Returns:
            The path, and whether the file is there.
        """
        passed = self._passed[sha256]
        while passed:
            if (file := passed.popleft()) not in placed:
                return file, True
        while (target := self._target()) in placed or os.path.lexists(target):
            self._number += 1
            if target in placed:
                continue
            if (content := self._hashes.of(target)) == sha256:
                return target, True
            self._passed[content].append(target)
        return target, False

    def _target(self) -> Path:
        home = self._home
        return home if self._number == 1 else home.with_name(f"{home.stem} ({self._number}){home.suffix}")
