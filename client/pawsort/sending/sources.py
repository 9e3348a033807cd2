"""What lies in the folders that somebody names: which files count, and under which path each one is sent.

Paths begin with the given folder's name, keep the exact characters of the file system (no Unicode normal form is
applied), and use "/" throughout. A name that is not UTF-8 is sent with its bytes written as \\xNN.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

IGNORED_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"})
ARCHIVE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to send, and the path it is sent under."""

    path: str
    file: Path


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is not sent, and why. `lost`: it would have counted, had it been readable."""

    path: str
    reason: str
    lost: bool = False


def is_archive(path: Path) -> bool:
    """Whether a path given by hand is sent as an archive; inside a folder an archive is a file like any other."""
    return path.name.lower().endswith(ARCHIVE_ENDINGS) and path.is_file()


def is_ignored(name: str) -> bool:
    """Whether one component of a path is what systems leave behind in folders and nobody means to send."""
    return name in IGNORED_NAMES or name.startswith("._")


def walk(paths: Iterable[Path]) -> Iterator[SourceFile | Skipped]:
    """Every file below the paths, folders in the order given, names sorted within each folder."""
    taken: set[str] = set()
    seen: set[Path] = set()
    for given in paths:
        place = given.resolve()
        if place in seen:
            continue
        seen.add(place)
        if place.is_dir():
            yield from _walk_folder(Path(given), _free_name(sent_name(place.name), taken) if place.name else "")
        elif not place.is_file():
            yield Skipped(sent_name(str(given)), "neither a file nor a folder")
        elif not is_ignored(place.name):
            yield SourceFile(_free_name(sent_name(given.name), taken), given)


def sent_name(name: str) -> str:
    """The name as it is sent: itself, or with \\xNN for the bytes that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _walk_folder(folder: Path, path: str) -> Iterator[SourceFile | Skipped]:
    """Depth first, with an own stack: folders may be nested deeper than Python's calls."""
    stack: list[Iterator[SourceFile | Skipped | tuple[Path, str]]] = [_list_folder(folder, path)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
        elif isinstance(item, tuple):
            stack.append(_list_folder(*item))
        else:
            yield item


def _list_folder(folder: Path, path: str) -> Iterator[SourceFile | Skipped | tuple[Path, str]]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield Skipped(path, f"the folder cannot be read: {error.strerror}", lost=True)
        return
    taken: set[str] = set()
    for entry in listed:
        if is_ignored(entry.name):
            continue
        name = _free_name(sent_name(entry.name), taken)
        yield _judge(entry, f"{path}/{name}" if path else name)


def _judge(entry: "os.DirEntry[str]", path: str) -> SourceFile | Skipped | tuple[Path, str]:
    if entry.is_symlink():
        return Skipped(path, "a link")
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError as error:
        return Skipped(path, f"it cannot be read: {error.strerror}", lost=True)
    if stat.S_ISDIR(mode):
        return Path(entry.path), path
    if stat.S_ISREG(mode):
        return SourceFile(path, Path(entry.path))
    return Skipped(path, "neither a file nor a folder")


def _free_name(name: str, taken: set[str]) -> str:
    """The name, with a number behind it when two folders given by hand, or two names not in UTF-8, would be one."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        stem, dot, ending = name.rpartition(".")
        candidate = f"{stem} ({number}){dot}{ending}" if stem else f"{name} ({number})"
    taken.add(candidate)
    return candidate
