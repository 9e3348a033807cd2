"""The chunks of a WebP: its sizes, and its first picture when the file is shorter than it says.

RIFF, size, WEBP, then chunks of four letters, a size and a body of even length. Source: RFC 9649, sections 2.3 to 2.7.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct("<4sI")
_START = 12
_SPARE_BYTES = 4096
_PICTURES = frozenset((b"VP8 ", b"VP8L", b"ANMF"))


class Chunk(NamedTuple):
    """One chunk: its four letters, the offset of its head, and of what follows it if it is as long as it says."""

    kind: bytes
    start: int
    end: int


def canvas_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of the canvas; None for a simple file, which has no other size than its picture's."""
    if data[12:16] != b"VP8X" or len(data) < 30:
        return None
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def close(data: bytes, filling: int) -> bytes:
    """A WebP whose sizes are right: what follows the last whole chunk is left out.

    Args:
        data: The file.
        filling: A byte to continue the picture with where the file ends in its first one.
    """
    chunks = list(_walk(data))
    kept = [chunk for chunk in chunks if chunk.end <= len(data)]
    body = data[_START : kept[-1].end] if kept else b""
    if len(kept) < len(chunks) and not any(chunk.kind in _PICTURES for chunk in kept):
        body += _fill(data, chunks[-1], filling)
    return _HEAD.pack(b"RIFF", 4 + len(body)) + b"WEBP" + body


def _fill(data: bytes, chunk: Chunk, filling: int) -> bytes:
    """A chunk in which the file ends, continued: by more than it lacks, as other data may take more bits."""
    body = data[chunk.start + _HEAD.size :]
    n_bytes = chunk.end - chunk.start - _HEAD.size
    if chunk.kind != b"ANMF":  # a frame has a chunk of its own inside, with a size that stays
        n_bytes += (n_bytes - len(body) + _SPARE_BYTES) & ~1
    return _HEAD.pack(chunk.kind, n_bytes) + body.ljust(n_bytes, bytes((filling,)))


def n_bytes_missing(data: bytes) -> int:
    """How many bytes the file lacks to the end of its first picture."""
    picture = next((chunk for chunk in _walk(data) if chunk.kind in _PICTURES), None)
    return max(0, picture.end - len(data)) if picture else 0


def _walk(data: bytes) -> Iterator[Chunk]:
    at = _START
    while len(data) - at >= _HEAD.size:
        kind, size = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + size + size % 2
        yield Chunk(kind, at, end)
        at = end
