"""Compressed streams: gzip, bzip2, xz and Zstandard, unpacked in pieces and within limits on memory.

Each may be several streams behind each other, as parallel compressors write them; zeros and other bytes behind the
last one are read past, as the usual programs do.
"""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from core.formats.archives.entries import ArchiveError
from core.formats.archives.kinds import Kind
from core.formats.tar import Source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE_BYTES = 2**16
_MAX_UNPACKED_BYTES = 2**20  # held at a time: a bomb is counted while it unfolds
_WINDOW_BITS = 26
_MAX_DICTIONARY_BYTES = 72 * 2**20  # 64 MiB, the largest of `xz -9`, and what goes with it
_MARKS = {
    Kind.GZIP: (b"\x1f\x8b",),
    Kind.BZIP2: (b"BZh",),
    Kind.XZ: (b"\xfd7zXZ\0",),
    Kind.ZSTD: (b"\x28\xb5\x2f\xfd", *(b"%c\x2a\x4d\x18" % number for number in range(0x50, 0x60))),
}
_LONGEST_MARK = 6
_TOO_MUCH_MEMORY = "needs more than 64 MiB of memory to unpack. Compress it again with a smaller dictionary or window"


class _Decompressor(Protocol):
    """What `bz2`, `lzma` and `zstd` have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Inflater:
    """zlib with the interface of the others."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)
        self.needs_input = not self._inflater.unconsumed_tail and len(piece) < max_length
        return piece


_DECOMPRESSORS: dict[Kind, Callable[[], _Decompressor]] = {
    Kind.GZIP: _Inflater,
    Kind.BZIP2: bz2.BZ2Decompressor,
    Kind.XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_DICTIONARY_BYTES),
    Kind.ZSTD: lambda: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_BITS}),
}


class Decompression:
    """The bytes inside a compressed stream."""

    def __init__(self, source: Source, kind: Kind) -> None:
        """Stand before the first compressed byte."""
        self._source = source
        self._kind = kind
        self._pieces = self._unpack()

    def read(self, n_bytes: int) -> bytes:
        """Return some bytes, not necessarily the number asked for; b"" at the end.

        Raises:
            ArchiveError: The stream is damaged, ends too early, or needs too much memory.
        """
        return next(self._pieces, b"")

    def _unpack(self) -> Iterator[bytes]:
        while True:
            yield from self._unpack_stream()
            if not self._is_stream_next():
                while self._source.take_some(2**20):  # the body is read to its end
                    pass
                return

    def _unpack_stream(self) -> Iterator[bytes]:
        decompressor = _DECOMPRESSORS[self._kind]()
        while not decompressor.eof:
            part = bytes(self._source.take_some(_PIECE_BYTES)) if decompressor.needs_input else b""
            if not part and decompressor.needs_input:
                raise ArchiveError(f"The {self._kind} is incomplete. Upload it again.")
            try:
                piece = decompressor.decompress(part, _MAX_UNPACKED_BYTES)
            except (zlib.error, OSError, ValueError, lzma.LZMAError, zstd.ZstdError) as error:
                raise self._explain(error) from error
            if piece:
                yield piece
        self._source.unread(decompressor.unused_data)

    def _explain(self, error: Exception) -> ArchiveError:
        sentence = str(error).lower()
        if "memory usage limit" in sentence or "too much memory" in sentence:
            return ArchiveError(f"The {self._kind} {_TOO_MUCH_MEMORY}, or upload the folder itself.")
        return ArchiveError(f"The {self._kind} is damaged. Pack it again, or upload the folder itself.")

    def _is_stream_next(self) -> bool:
        """Read past zeros, which tapes and some tools leave behind a stream."""
        while part := self._source.take_some(_PIECE_BYTES):
            if rest := bytes(part).lstrip(b"\0"):
                self._source.unread(rest)
                break
        head = bytes(self._source.take(_LONGEST_MARK))
        self._source.unread(head)
        return head.startswith(_MARKS[self._kind])
