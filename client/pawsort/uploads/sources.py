"""The files in given folders: which ones count, and the path under which each one is uploaded.

Paths begin with the given folder's name, keep the exact characters of the file system (no Unicode normal form is
applied), and use "/" throughout. Bytes of a name that are not UTF-8 are written as \\xNN.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pawsort.uploads.ignored_names import kind_of_file, kind_of_folder


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to upload, its path in the upload, and its size when it was listed."""

    path: str
    file: Path
    n_bytes: int


@dataclass(frozen=True, slots=True)
class SkippedPath:
    """A path that is not uploaded, and why. `lost`: it would have counted if it could be read."""

    path: str
    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True)
class IgnoredFile:
    """A file that a system or a tool left behind, and its kind."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to walk; `kind` is that of every file in it, if they are left out."""

    path: str
    folder: Path
    kind: str | None


@dataclass(frozen=True, slots=True)
class FileCounts:
    """How many files there are to upload, their bytes, and how many are left out, by kind."""

    n_files: int
    n_bytes: int
    ignored: Counter[str]


Found: TypeAlias = SourceFile | SkippedPath | IgnoredFile


def walk(paths: Iterable[Path], everything: bool = False) -> Iterator[Found]:
    """Iterate over every file below the paths: folders in the order given, names sorted within each folder.

    A given folder is walked whatever its name. `everything`: no file is an `IgnoredFile`.
    """
    used_names: set[str] = set()
    visited: set[Path] = set()
    for given in paths:
        resolved = given.resolve()
        if resolved in visited:
            continue
        visited.add(resolved)
        if resolved.is_dir():
            name = unique_name(upload_name(resolved.name), used_names) if resolved.name else ""
            yield from _walk_folder(_Folder(name, Path(given), None), everything)
        elif not resolved.is_file():
            yield SkippedPath(upload_name(str(given)), "neither a file nor a folder")
        elif not everything and (kind := kind_of_file(resolved.name)):
            yield IgnoredFile(upload_name(given.name), kind)
        else:
            yield SourceFile(unique_name(upload_name(given.name), used_names), given, resolved.stat().st_size)


def files_of(found: Iterable[Found], on_skip: Callable[[SkippedPath], object]) -> Iterator[SourceFile]:
    """Iterate over the files to upload among what was found, and call `on_skip` for every skipped path."""
    for item in found:
        if isinstance(item, SourceFile):
            yield item
        elif isinstance(item, SkippedPath):
            on_skip(item)


def count_files(found: Iterable[Found]) -> FileCounts:
    """Count the files among what was found."""
    n_files, n_bytes, ignored = 0, 0, Counter[str]()
    for item in found:
        if isinstance(item, SourceFile):
            n_files, n_bytes = n_files + 1, n_bytes + item.n_bytes
        elif isinstance(item, IgnoredFile):
            ignored[item.kind] += 1
    return FileCounts(n_files, n_bytes, ignored)


def upload_name(name: str) -> str:
    """Return the name as it is uploaded: unchanged, or with \\xNN for bytes that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _walk_folder(given: _Folder, everything: bool) -> Iterator[Found]:
    """Walk depth first with an explicit stack: folders may be nested deeper than Python's recursion limit."""
    stack = [_list_folder(given, everything)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
        elif isinstance(item, _Folder):
            stack.append(_list_folder(item, everything))
        else:
            yield item


def _list_folder(given: _Folder, everything: bool) -> Iterator[Found | _Folder]:
    try:
        with os.scandir(given.folder) as entries:
            listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        if given.kind is None:
            yield SkippedPath(given.path, f"the folder cannot be read: {error.strerror}", lost=True)
        return
    used_names: set[str] = set()
    for entry in listed:
        kind = given.kind
        if kind is None and not everything:
            kind = kind_of_folder(entry.name) if entry.is_dir(follow_symlinks=False) else kind_of_file(entry.name)
        # A name that is left out takes none from those that are sent.
        name = upload_name(entry.name) if kind else unique_name(upload_name(entry.name), used_names)
        yield _classify_entry(entry, f"{given.path}/{name}" if given.path else name, kind)


def _classify_entry(entry: "os.DirEntry[str]", path: str, kind: str | None) -> Found | _Folder:
    if kind and not entry.is_dir(follow_symlinks=False):
        return IgnoredFile(path, kind)
    if entry.is_symlink():
        return SkippedPath(path, "a link")
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError as error:
        return SkippedPath(path, f"it cannot be read: {error.strerror}", lost=True)
    if stat.S_ISDIR(found.st_mode):
        return _Folder(path, Path(entry.path), kind)
    if stat.S_ISREG(found.st_mode):
        return SourceFile(path, Path(entry.path), found.st_size)
    return SkippedPath(path, "neither a file nor a folder")


def unique_name(name: str, used_names: set[str]) -> str:
    """Add a number to the name if two given folders, or two names that are not UTF-8, would have the same one."""
    candidate, number = name, 1
    while candidate in used_names:
        number += 1
        stem, dot, ending = name.rpartition(".")
        candidate = f"{stem} ({number}){dot}{ending}" if stem else f"{name} ({number})"
    used_names.add(candidate)
    return candidate
