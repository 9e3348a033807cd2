"""Files that another program lists, such as `find`. Each is uploaded under its own path, relative to where it began."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pawsort.uploads.ignored_names import kind_of_file, kind_of_folder
from pawsort.uploads.sources import Found, IgnoredFile, SkippedPath, SourceFile, unique_name, upload_name


def read_list(stream: BinaryIO, *, ends_with_null: bool) -> list[Path]:
    """Read paths, one on each line, or each one ended by a zero byte (`find -print0`)."""
    paths = stream.read().split(b"\0" if ends_with_null else b"\n")
    return [Path(os.fsdecode(path)) for path in dict.fromkeys(paths) if path]


def walk_listed(paths: Sequence[Path], everything: bool = False) -> Iterator[Found]:
    """Iterate over the listed files. What is in a listed folder does not count: `find` lists it by itself."""
    used_names: set[str] = set()
    for file in paths:
        parts = _parts(file)
        path = "/".join(parts)
        try:
            status = os.lstat(file)
        except OSError as error:
            yield SkippedPath(path, f"it cannot be read: {error.strerror}", lost=True)
            continue
        if stat.S_ISDIR(status.st_mode):
            continue
        if not everything and (kind := _kind(parts)):
            yield IgnoredFile(path, kind)
        elif stat.S_ISLNK(status.st_mode):
            yield SkippedPath(path, "a link")
        elif stat.S_ISREG(status.st_mode):
            yield SourceFile(unique_name(path, used_names), file, status.st_size)
        else:
            yield SkippedPath(path, "neither a file nor a folder")


def name_of_list(paths: Sequence[Path]) -> str:
    """Return the default name of a job over listed files: that of their folder, if they have one."""
    tops = {parts[0] if len(parts := _parts(path)) > 1 else "" for path in paths}
    return tops.pop() or "files" if len(tops) == 1 else "files"


def _parts(path: Path) -> list[str]:
    """The path as it is uploaded: without its root, and without steps upwards."""
    return [upload_name(part) for part in path.parts if part not in (path.anchor, "..")]


def _kind(parts: list[str]) -> str | None:
    """What a system or a tool left behind, by the name of the file or of a folder above it."""
    return next(filter(None, map(kind_of_folder, parts[:-1])), None) or kind_of_file(parts[-1])
