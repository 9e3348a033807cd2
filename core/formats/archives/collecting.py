"""Collecting the pieces of one file, in memory that does not grow with the file."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import TypeAlias

IN_MEMORY_BYTES = 8 * 2**20
_PIECE_BYTES = 2**20


class DiskContent:
    """The content of a large file, on disk until nothing refers to it any more."""

    def __init__(self) -> None:
        """Begin without any bytes."""
        self._descriptor, path = tempfile.mkstemp()
        os.unlink(path)
        self._n_bytes = 0

    def __len__(self) -> int:
        return self._n_bytes

    def __del__(self) -> None:
        os.close(self._descriptor)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.pwrite(self._descriptor, rest, self._n_bytes + len(data) - len(rest)) :]
        self._n_bytes += len(data)

    def pieces(self) -> Iterator[bytes]:
        """Hand out the bytes in pieces of at most 1 MiB."""
        for at in range(0, self._n_bytes, _PIECE_BYTES):
            yield os.pread(self._descriptor, _PIECE_BYTES, at)


Content: TypeAlias = bytes | bytearray | DiskContent


def pieces_of(content: Content) -> Iterable[bytes | bytearray]:
    """Hand out a content in pieces, one of which is all of it where it is in memory."""
    return content.pieces() if isinstance(content, DiskContent) else (content,)


def collect(pieces: Iterable[bytes | memoryview], max_bytes: int) -> Content:
    """Join pieces, which may be many and tiny; beyond the limit read on, but keep no more."""
    kept: bytearray | DiskContent = bytearray()
    n_bytes = 0
    for piece in pieces:
        n_bytes += len(piece)
        if n_bytes > max_bytes:
            kept = bytearray()
        elif isinstance(kept, DiskContent):
            kept.write(piece)
        elif n_bytes > IN_MEMORY_BYTES:
            on_disk = DiskContent()
            on_disk.write(kept)
            on_disk.write(piece)
            kept = on_disk
        else:
            kept += piece
    return kept
