"""The files in given folders: which ones count, and the path under which each one is uploaded.

Paths begin with the given folder's name, keep the exact characters of the file system (no Unicode normal form is
applied), and use "/" throughout. Bytes of a name that are not UTF-8 are written as \\xNN.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

IGNORED_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to upload, and its path in the upload."""

    path: str
    file: Path


@dataclass(frozen=True, slots=True)
class SkippedPath:
    """A path that is not uploaded, and why. `lost`: it would have counted if it could be read."""

    path: str
    reason: str
    lost: bool = False


def is_ignored(name: str) -> bool:
    """Return whether one component of a path is something that systems leave in folders and nobody means to upload."""
    return name in IGNORED_NAMES or name.startswith("._")


def walk(paths: Iterable[Path]) -> Iterator[SourceFile | SkippedPath]:
    """Iterate over every file below the paths: folders in the order given, names sorted within each folder."""
    used_names: set[str] = set()
    visited: set[Path] = set()
    for given in paths:
        resolved = given.resolve()
        if resolved in visited:
            continue
        visited.add(resolved)
        if resolved.is_dir():
            name = _unique_name(upload_name(resolved.name), used_names) if resolved.name else ""
            yield from _walk_folder(Path(given), name)
        elif not resolved.is_file():
            yield SkippedPath(upload_name(str(given)), "neither a file nor a folder")
        elif not is_ignored(resolved.name):
            yield SourceFile(_unique_name(upload_name(given.name), used_names), given)


def walk_files(paths: Iterable[Path], on_skip: Callable[[SkippedPath], object]) -> Iterator[SourceFile]:
    """Iterate over the files that `walk` finds, and call `on_skip` for every other path."""
    for item in walk(paths):
        if isinstance(item, SourceFile):
            yield item
        else:
            on_skip(item)


def count_files(paths: Iterable[Path]) -> int:
    """Count the files that `walk` finds."""
    return sum(isinstance(item, SourceFile) for item in walk(paths))


def upload_name(name: str) -> str:
    """Return the name as it is uploaded: unchanged, or with \\xNN for bytes that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _walk_folder(folder: Path, path: str) -> Iterator[SourceFile | SkippedPath]:
    """Walk depth first with an explicit stack: folders may be nested deeper than Python's recursion limit."""
    stack: list[Iterator[SourceFile | SkippedPath | tuple[Path, str]]] = [_list_folder(folder, path)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
        elif isinstance(item, tuple):
            stack.append(_list_folder(*item))
        else:
            yield item


def _list_folder(folder: Path, path: str) -> Iterator[SourceFile | SkippedPath | tuple[Path, str]]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield SkippedPath(path, f"the folder cannot be read: {error.strerror}", lost=True)
        return
    used_names: set[str] = set()
    for entry in listed:
        if is_ignored(entry.name):
            continue
        name = _unique_name(upload_name(entry.name), used_names)
        yield _classify_entry(entry, f"{path}/{name}" if path else name)


def _classify_entry(entry: "os.DirEntry[str]", path: str) -> SourceFile | SkippedPath | tuple[Path, str]:
    if entry.is_symlink():
        return SkippedPath(path, "a link")
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError as error:
        return SkippedPath(path, f"it cannot be read: {error.strerror}", lost=True)
    if stat.S_ISDIR(mode):
        return Path(entry.path), path
    if stat.S_ISREG(mode):
        return SourceFile(path, Path(entry.path))
    return SkippedPath(path, "neither a file nor a folder")


def _unique_name(name: str, used_names: set[str]) -> str:
    """Add a number to the name if two given folders, or two names that are not UTF-8, would have the same one."""
    candidate, number = name, 1
    while candidate in used_names:
        number += 1
        stem, dot, ending = name.rpartition(".")
        candidate = f"{stem} ({number}){dot}{ending}" if stem else f"{name} ({number})"
    used_names.add(candidate)
    return candidate
