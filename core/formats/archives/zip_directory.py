"""The directory at the end of a zip: what really is in it, where the whole zip is at hand.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from core.formats.archives.zip_headers import (
    CENTRAL,
    CENTRAL_FIELDS,
    END,
    IS_UTF8,
    DirectoryEntry,
    ZipError,
    parse_directory_entry,
)

_END_FIELDS = struct.Struct("<4s4H2LH")
_LOCATOR_64 = b"PK\x06\x07"
_END_64 = b"PK\x06\x06"
_LOCATOR_64_BYTES = 20
_END_64_FIELDS = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 2**16


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory is in the file, and how far the offsets in it are off: by what comes before."""

    start: int
    n_bytes: int
    shift: int


def find_directory(file: BinaryIO) -> Directory | None:
    """Find the directory by the record at the end of the file, with a comment or a few other bytes behind it.

    Raises:
        ZipError: The zip is one of several parts.
    """
    size = file.seek(0, 2)
    tail_start = max(0, size - _LONGEST_COMMENT - _END_FIELDS.size)
    file.seek(tail_start)
    tail = file.read()
    at = len(tail)
    while (at := tail.rfind(END, 0, at)) >= 0:
        if at + _END_FIELDS.size <= len(tail) and (found := _parse_end(file, tail, at, tail_start)):
            return found
    return None


def list_entries(file: BinaryIO, directory: Directory, limit: int) -> list[tuple[int, int]]:
    """List where the local header of each entry and its record in the directory stand, in the order of the headers.

    A damaged directory ends early.

    Args:
        limit: How many are listed at most.
    """
    return sorted((entry.offset + directory.shift, at) for at, entry in _walk(file, directory, limit))


def names_of(file: BinaryIO, directory: Directory, limit: int) -> Iterator[bytes]:
    """The names of entries that do not say that they are UTF-8."""
    for _, entry in _walk(file, directory, limit):
        if not entry.flags & IS_UTF8:
            yield entry.name


def read_entry(file: BinaryIO, at: int) -> DirectoryEntry:
    """Read the record at a place of the directory."""
    file.seek(at + len(CENTRAL))
    head = file.read(CENTRAL_FIELDS.size)
    return parse_directory_entry(head, file.read)


def _walk(file: BinaryIO, directory: Directory, limit: int) -> Iterator[tuple[int, DirectoryEntry]]:
    at, end = directory.start, directory.start + directory.n_bytes
    while at < end and limit > 0:
        file.seek(at)
        if file.read(len(CENTRAL)) != CENTRAL:
            return
        head = file.read(CENTRAL_FIELDS.size)
        if len(head) < CENTRAL_FIELDS.size:
            return
        yield at, parse_directory_entry(head, file.read)
        at = file.tell()
        limit -= 1


def _parse_end(file: BinaryIO, tail: bytes, at: int, tail_start: int) -> Directory | None:
    _, disk, first_disk, _, n_entries, n_bytes, offset, _ = _END_FIELDS.unpack_from(tail, at)
    end = tail_start + at
    locator = tail[at - _LOCATOR_64_BYTES : at] if at >= _LOCATOR_64_BYTES else b""
    if locator.startswith(_LOCATOR_64):
        end_64 = tail.rfind(_END_64, 0, at - _LOCATOR_64_BYTES)
        if end_64 >= 0 and end_64 + _END_64_FIELDS.size <= len(tail):
            *_, n_entries, n_bytes, offset = _END_64_FIELDS.unpack_from(tail, end_64)
            end = tail_start + end_64
    start = end - n_bytes
    if start < 0 or (n_entries and not _stands_at(file, start)):
        return None
    if disk not in (0, 0xFFFF) or first_disk not in (0, 0xFFFF):
        raise ZipError("This is the last part of a zip in several parts. Join the parts, or upload the folder itself.")
    return Directory(start, n_bytes, start - offset)


def _stands_at(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return file.read(len(CENTRAL)) == CENTRAL
