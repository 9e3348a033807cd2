"""The shard: a tar of at most 256 files and 32 MiB, or of one larger file; it is uploaded, stored and queued as one.

    files ─► ShardBuilder ─► tar ─► index_shard ─► path, offset, size and SHA-256 of each file

A shard is refused as a whole (ShardError, ShardTooLarge): the sender can correct it, and nothing of it was stored.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from core.base.errors import Invalid, TooLarge
from core.formats.tar import Source, check_ending, read_members
from core.formats.tar_headers import BLOCK, SIZE_KEY, Member, TarError, clean_path

MAX_FILES = 256
MAX_BYTES = 32 * 2**20
_SPOOL_BYTES = 8 * 2**20  # how much of a shard is held in memory while it is made
_OVERHEAD_BYTES = 8 * 2**20  # headers, folders' entries and padding of the largest legal shard
_NAME_FIELD_BYTES = 100
_LATEST = 8**11 - 1  # second that the field of a header holds
_END = bytes(2 * BLOCK)

__all__ = [  # SIZE_KEY is part of a shard's format, though it lives with the headers
    "MAX_BYTES",
    "MAX_FILES",
    "SIZE_KEY",
    "Entry",
    "ShardBuilder",
    "ShardError",
    "ShardIndex",
    "ShardTooLarge",
    "index_shard",
    "max_shard_bytes",
]


class ShardError(Invalid):
    """A shard breaks a rule; the sentence names the entry."""


class ShardTooLarge(TooLarge):
    """A shard has too many files or bytes; the sentence names the limit."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a shard.

    Attributes:
        path: As uploaded, components divided by "/".
        offset: Where its content begins in the tar.
        n_bytes: Size of its content.
        sha256: Digest of its content, 32 bytes.
        declared_bytes: True size of a file over the limit, which was not uploaded; else None.
        error_code: Why it cannot be read, if that was checked; else None.
    """

    path: str
    offset: int
    n_bytes: int
    sha256: bytes
    declared_bytes: int | None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """What is in a shard: its files in order, the size of the whole tar and its SHA-256."""

    entries: tuple[Entry, ...]
    n_bytes: int
    sha256: bytes


def index_shard(
    read: Callable[[int], bytes], *, max_image_bytes: int, sink: Callable[[bytes], object] = len
) -> ShardIndex:
    """Walk a shard as it arrives.

    Args:
        read: Returns up to n bytes of the body, b"" at its end.
        max_image_bytes: The largest file that is accepted.
        sink: Gets every byte as it is read, in order, before the next is read.
    Returns:
        Its files, in order.
    Raises:
        ShardError: Not a whole tar, or an entry that cannot be taken.
        ShardTooLarge: A limit was passed. No more than the limit was read.
    """
    limit = max_shard_bytes(max_image_bytes)
    digest = hashlib.sha256()
    n_read = 0

    def observe(piece: bytes) -> None:
        nonlocal n_read
        n_read += len(piece)
        if n_read > limit:
            raise ShardTooLarge(f"The shard has more than {limit} bytes, the limit. Send smaller shards.", limit=limit)
        digest.update(piece)
        sink(piece)

    source = Source(read, observe)
    try:
        entries = tuple(_entries(source, max_image_bytes))
        check_ending(source)
    except TarError as error:
        raise ShardError(error.message) from error
    if not entries:
        raise ShardError("The shard has no file. Send shards with at least one.")
    return ShardIndex(entries, n_read, digest.digest())


def max_shard_bytes(max_image_bytes: int) -> int:
    """Size of the largest tar that can be a legal shard, its headers included."""
    return max(MAX_BYTES, max_image_bytes) + _OVERHEAD_BYTES


def _entries(source: Source, max_image_bytes: int) -> Iterator[Entry]:
    seen: set[str] = set()
    n_content = 0
    for member in read_members(source):
        if member.refusal:
            raise ShardError(f"{member.path!r} is {member.refusal}; a shard takes regular files only. Leave it out.")
        if member.is_folder:
            continue
        if member.path in seen:
            raise ShardError(f"{member.path!r} is in the shard twice. Send each file once.")
        seen.add(member.path)
        n_content += member.n_bytes
        _check_limits(member, len(seen), n_content, max_image_bytes)
        offset = source.position
        digest = hashlib.sha256()
        for piece in source.pieces(member.n_bytes):
            digest.update(piece)
        yield Entry(member.path, offset, member.n_bytes, digest.digest(), member.declared_bytes)


def _check_limits(member: Member, n_files: int, n_content: int, max_image_bytes: int) -> None:
    if member.n_bytes > max_image_bytes:
        raise ShardTooLarge(
            f"{member.path!r} has {member.n_bytes} bytes; the limit for one file is {max_image_bytes}."
            f" Send an empty entry with its size in the pax key {SIZE_KEY}.",
            limit=max_image_bytes,
        )
    if n_files > MAX_FILES:
        raise ShardTooLarge(f"The shard has more than {MAX_FILES} files, the limit. Send more shards.", limit=MAX_FILES)
    if n_files > 1 and n_content > MAX_BYTES:
        raise ShardTooLarge(
            f"The shard's files have more than {MAX_BYTES} bytes, the limit for more than one file. Send more shards.",
            limit=MAX_BYTES,
        )


class ShardBuilder:
    """Builds one shard, most of it on disk. The same files give the same bytes, so that sending again is harmless."""

    def __init__(self, open_file: Callable[[], BinaryIO] | None = None) -> None:
        """Begin an empty shard. It has a file from its first entry until `finish` or `close`.

        Args:
            open_file: Makes the file; None: it is held in memory as long as it is small.
        """
        self._open_file = open_file or _spool
        self._tar: BinaryIO = io.BytesIO()
        self._contents: dict[str, tuple[int, int]] = {}  # offset and size by path
        self._n_content = 0
        self.n_files = 0

    def is_full_for(self, n_bytes: int) -> bool:
        """Tell whether a file of this size must go into the next shard."""
        return self.n_files > 0 and (self.n_files >= MAX_FILES or self._n_content + n_bytes > MAX_BYTES)

    def add(self, path: str, n_bytes: int, pieces: Iterable[bytes | bytearray], modified_at: int | None = None) -> None:
        """Append a file.

        Args:
            n_bytes: Its size.
            pieces: Its content, which has exactly this size.
            modified_at: When it was last changed, in seconds since 1970; None if that is not known.
        Raises:
            ShardError: The path cannot be sent.
        """
        self._add_header(path, n_bytes, {}, modified_at or 0)
        self._contents[path] = (self._tar.tell(), n_bytes)
        for piece in pieces:
            self._tar.write(piece)
        self._tar.write(bytes(-n_bytes % BLOCK))
        self._n_content += n_bytes

    def add_oversize(self, path: str, n_bytes: int) -> None:
        """Append the name and size of a file that is too large to upload.

        Raises:
            ShardError: The path cannot be sent.
        """
        self._add_header(path, 0, {SIZE_KEY: str(n_bytes)})

    def read(self, path: str) -> bytes | None:
        """Read a file that was added with content."""
        if path not in self._contents:
            return None
        offset, n_bytes = self._contents[path]
        self._tar.seek(offset)
        data = self._tar.read(n_bytes)
        self._tar.seek(0, io.SEEK_END)
        return data

    def finish(self) -> BinaryIO:
        """Return the tar, to be read from its beginning and then closed."""
        self._tar.write(_END)
        self._tar.seek(0)
        return self._tar

    def close(self) -> None:
        """Drop a shard that is not finished."""
        self._tar.close()

    def _add_header(self, path: str, n_bytes: int, records: dict[str, str], modified_at: int = 0) -> None:
        name = path.encode("utf-8", "backslashreplace")
        _, refusal = clean_path(name)
        if refusal:
            raise ShardError(f"{path!r} is {refusal}; it cannot be sent.")
        if self.n_files == 0:
            self._tar = self._open_file()  # its reader closes it
        if len(name) > _NAME_FIELD_BYTES or not name.isascii():
            records = {"path": name.decode(), **records}
        if records:
            content = b"".join(_pax_record(key, value) for key, value in records.items())
            self._tar.write(_header(b"pax", len(content), b"x") + content + bytes(-len(content) % BLOCK))
        self._tar.write(_header(name[:_NAME_FIELD_BYTES], n_bytes, b"0", modified_at))
        self.n_files += 1


def _spool() -> BinaryIO:
    return cast(BinaryIO, SpooledTemporaryFile(max_size=_SPOOL_BYTES))


def _pax_record(key: str, value: str) -> bytes:
    """Write "length key=value\\n", where the length counts its own digits too."""
    tail = f" {key}={value}\n".encode()
    n_bytes = len(tail) + 1
    while len(str(n_bytes)) + len(tail) != n_bytes:
        n_bytes += 1
    return str(n_bytes).encode() + tail


def _header(name: bytes, n_bytes: int, kind: bytes, modified_at: int = 0) -> bytes:
    """Write a ustar header with a fixed owner."""
    numbers = b"%011o\0%011o\0" % (n_bytes, modified_at if 0 <= modified_at <= _LATEST else 0)
    head = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + numbers
    tail = kind + bytes(100) + b"ustar\x0000" + bytes(247)
    checksum = sum(head) + 8 * 32 + sum(tail)
    return head + b"%06o\0 " % checksum + tail
