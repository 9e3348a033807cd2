"""Reading the tar format as a stream, strictly: what shards and archives share.

Own code rather than `tarfile`, because bodies are hostile: sizes lie, headers grow without end, and `tarfile` takes a
damaged header for the end of the archive. It is also three times as fast.

    read(n) ─► Source (big pieces, observed once) ─► read_members ─► Member, its content read from the Source
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from core.formats.tar_headers import (
    BLOCK,
    SPARSE_KIND,
    Member,
    TarError,
    check_header,
    make_member,
    read_long_name,
    read_pax,
)

_PIECE_BYTES = 2**20
_MAX_PADDING_BYTES = 2**20
_ZEROS = bytes(BLOCK)
_EXTENSIONS = (b"x", b"g", b"L", b"K")


class Source:
    """Bytes of a body, read in big pieces and handed out in exact ones."""

    def __init__(self, read: Callable[[int], bytes | memoryview], observe: Callable[[Any], object] = len) -> None:
        """Wrap a body.

        Args:
            read: Returns up to n bytes, b"" at the end.
            observe: Called with each piece as it is read, in order.
        """
        self._read = read
        self._observe = observe
        self._piece = memoryview(b"")
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """How many bytes have been handed out."""
        return self._before + self._at

    def take(self, n_bytes: int) -> memoryview:
        """Hand out the next bytes: exactly as many as asked for, fewer only at the end of the body."""
        start, end = self._at, self._at + n_bytes
        if end <= len(self._piece):
            self._at = end
            return self._piece[start:end]
        parts = []
        while n_bytes and (part := self.take_some(n_bytes)):
            parts.append(part)
            n_bytes -= len(part)
        return memoryview(b"".join(parts))

    def take_some(self, n_bytes: int) -> memoryview:
        """Hand out some of the next bytes without joining pieces: at least one, none only at the end of the body."""
        if self._at == len(self._piece):
            self._before += self._at
            piece = self._read(_PIECE_BYTES)
            self._observe(piece)
            self._piece, self._at = memoryview(piece), 0
        start = self._at
        self._at = min(start + n_bytes, len(self._piece))
        return self._piece[start : self._at]

    def unread(self, data: bytes | memoryview) -> None:
        """Put back the last bytes that were handed out; they come again next."""
        if len(data) <= self._at:
            self._at -= len(data)
            return
        self._before += self._at - len(data)
        self._piece, self._at = memoryview(b"".join((data, self._piece[self._at :]))), 0

    def keep_ahead(self, kept: BinaryIO, n_bytes: int) -> None:
        """Read so many bytes on into an empty file. They are handed out next, from the file's position on."""
        rest = self._piece[self._at :]
        ahead = Source(self._read, self._observe)
        ahead.unread(rest)
        self._before += self._at
        self._piece, self._at = memoryview(b""), 0
        self._read, self._observe = Beginning(ahead, kept, n_bytes).read, len

    def pieces(self, n_bytes: int) -> Iterator[memoryview]:
        """Hand out the next bytes in pieces.

        Raises:
            TarError: The body ends before.
        """
        while n_bytes:
            part = self.take_some(n_bytes)
            if not part:
                raise _cut_off()
            n_bytes -= len(part)
            yield part


class Beginning:
    """The first bytes of a body, kept in a file, and the rest behind them. A fault comes after what was before it."""

    def __init__(self, source: Source, kept: BinaryIO, n_bytes: int) -> None:
        """Read up to about so many bytes into an empty file; `read` begins at the file's position."""
        self._source = source
        self._kept = kept
        self._error: Exception | None = None
        self.is_whole = False
        try:
            while kept.tell() < n_bytes and not self.is_whole:
                part = source.take_some(_PIECE_BYTES)
                kept.write(part)
                self.is_whole = not part
        except Exception as error:
            self._error = error

    def read(self, n_bytes: int) -> bytes | memoryview:
        """Return up to n bytes, b"" at the end."""
        if data := self._kept.read(n_bytes):
            return data
        if self._error:
            raise self._error
        return self._source.take_some(n_bytes)


def read_members(source: Source, decode: Callable[[bytes], bytes] = bytes) -> Iterator[Member]:
    """Walk a tar up to and including its end-of-archive block.

    After each member the caller may read its content from the source, or a part of it; the rest is skipped here.

    Args:
        decode: Turns a path that does not say its encoding into UTF-8.
    Raises:
        TarError: A header is damaged, or the body ends before the end-of-archive block.
    """
    extended: dict[bytes, bytes] = {}
    common: dict[bytes, bytes] = {}
    while True:
        position = source.position
        block = bytes(source.take(BLOCK))
        if len(block) < BLOCK:
            raise _cut_off()
        if block == _ZEROS:
            return
        kind, size = check_header(block, position)
        if kind in _EXTENSIONS:
            (common if kind == b"g" else extended).update(_read_extension(source, kind, size))
            continue
        member = make_member(block, kind, size, common | extended if common else extended, decode)
        if kind == SPARSE_KIND:
            _skip_sparse_map(source, block)
        extended = {}
        end = source.position + member.n_bytes
        yield member
        _skip(source, end - source.position + -end % BLOCK)


def check_ending(source: Source) -> None:
    """Read what follows the end-of-archive block: nothing but zeros, at most 1 MiB of them.

    Raises:
        TarError: Something else follows.
    """
    limit = source.position + _MAX_PADDING_BYTES
    while part := source.take_some(_MAX_PADDING_BYTES):
        if source.position > limit or bytes(part).strip(b"\0"):
            raise TarError("Bytes follow the end of the tar. Send one tar, and nothing after it.")


def _read_extension(source: Source, kind: bytes, size: int) -> dict[bytes, bytes]:
    """Read a header that describes the next one (x, L, K) or all later ones (g)."""

    def take(n_bytes: int) -> bytes:
        content = bytes(source.take(n_bytes))
        if len(content) < n_bytes:
            raise _cut_off()
        return content

    found = read_pax(size, take) if kind in (b"x", b"g") else read_long_name(kind, size, take)
    _skip(source, -size % BLOCK)
    return found


def _skip_sparse_map(source: Source, block: bytes) -> None:
    """Read past the further blocks of an old GNU sparse header, which come before the content."""
    is_continued = block[482]
    while is_continued:
        more = source.take(BLOCK)
        if len(more) < BLOCK:
            raise _cut_off()
        is_continued = more[504]


def _skip(source: Source, n_bytes: int) -> None:
    if n_bytes < 0:
        raise RuntimeError("more was read than the member's content")
    for _ in source.pieces(n_bytes):
        pass


def _cut_off() -> TarError:
    return TarError("The tar ends too early: its end-of-archive block is missing. Send it again.")
