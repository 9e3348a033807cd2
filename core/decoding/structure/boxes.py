"""The boxes of ISO media files, such as AVIF and HEIC. Source: ISO/IEC 14496-12, section 4.2."""

from collections.abc import Iterator
from typing import NamedTuple


class Box(NamedTuple):
    """A box: its four letters, and where its body is."""

    kind: bytes
    start: int
    end: int


def boxes_in(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets."""
    while end - start >= 8:
        size, kind, head = read_number(data, start, 4), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = read_number(data, start + 8, 8), 16
        size = size or end - start  # 0: to the end
        if size < head:
            return
        yield Box(kind, start + head, min(start + size, end))
        start += size


def boxes_by_kind(data: bytes, start: int, end: int) -> dict[bytes, Box]:
    """The boxes between two offsets, of each kind the last one."""
    return {box.kind: box for box in boxes_in(data, start, end)}


def read_number(data: bytes, start: int, n_bytes: int) -> int:
    """A big-endian number.

    Raises:
        IndexError: The data ends before it.
    """
    if start + n_bytes > len(data):
        raise IndexError
    return int.from_bytes(data[start : start + n_bytes], "big")
