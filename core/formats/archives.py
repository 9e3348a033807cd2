"""Archives that people upload: tar, tar.gz and zip as a stream of files, read leniently.

    body ─► read_archive ─► File, Skipped ─► `core.formats.shard_packing`

An archive is not made for Pawsort: links, devices, climbing paths and encrypted files are skipped and named, while in
a shard each of them is an error. Archives inside are not opened. Complete files before a fault are kept.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from core.base.errors import Invalid, TooLarge
from core.formats.shards import is_ignored
from core.formats.tar import Source, check_ending, read_members
from core.formats.tar_headers import BLOCK, TarError, check_header
from core.formats.zip_content import BadEntry, ContentReader, inflate_piece
from core.formats.zip_headers import END, LOCAL, ZipError, ZipMember, read_link_offsets, read_zip_members

MAX_ENTRIES = 1_000_000
MAX_RATIO = 200  # unpacked bytes for each byte that came; photographs hardly shrink at all
FREE_BYTES = 10 * 2**20  # unpacked before the ratio counts
_MAX_LINK_BYTES = 4096
_MAX_WAITING_LINKS = 10_000
_GZIP = b"\x1f\x8b"
_OTHER_ARCHIVES = {
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}

Read: TypeAlias = Callable[[int], bytes]


class ArchiveError(Invalid):
    """An archive cannot be read on; the whole files before the fault have been handed out."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of an archive.

    Attributes:
        path: Its path in the archive.
        data: Its content; None when it is over the limit for one file.
        n_bytes: Its true size.
    """

    path: str
    data: bytes | bytearray | None
    n_bytes: int


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """An entry that is not taken, and why, as a noun: "a symbolic link"."""

    path: str
    reason: str


def read_archive(read: Read, *, max_image_bytes: int, max_upload_bytes: int) -> Iterator[File | SkippedEntry]:
    """Read an archive as it arrives.

    Args:
        read: Returns up to n bytes of the body, b"" at its end.
        max_image_bytes: Larger files are read past and come without data.
        max_upload_bytes: Limit on what arrives, and on what it unpacks to.
    Yields:
        Each file that counts, in order, and what was skipped. `is_ignored` files and folders are left out.
    Raises:
        ArchiveError: Not an archive, damaged, cut off, or a bomb.
        TooLarge: More than `max_upload_bytes` arrived.
    """
    budget = _Budget(max_upload_bytes)
    source = Source(read, budget.count_arrived)
    head = bytes(source.take(BLOCK))
    source.unread(head)
    try:
        if head.startswith((LOCAL, END)):
            files = _read_zip(source, budget, max_image_bytes)
        elif head.startswith(_GZIP):
            files = _read_tar(Source(_Gunzip(source).read, budget.count_unpacked), max_image_bytes)
        else:
            _check_is_tar(head)
            files = _read_tar(source, max_image_bytes)
        for file in files:
            budget.count_entry()
            yield file
    except (TarError, ZipError) as error:
        raise ArchiveError(error.message) from error


class _Budget:
    """Counts what arrives, what it unpacks to, and entries, against the limits."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_arrived = 0
        self._n_unpacked = 0
        self._n_entries = 0

    def count_arrived(self, piece: bytes) -> None:
        self._n_arrived += len(piece)
        if self._n_arrived > self._max_bytes:
            raise TooLarge(
                f"The archive has more than {self._max_bytes} bytes, the limit. Upload it in parts.",
                limit=self._max_bytes,
            )

    def count_unpacked(self, piece: bytes | memoryview) -> None:
        self._n_unpacked += len(piece)
        if self._n_unpacked > self._max_bytes:
            raise ArchiveError(
                f"The archive unpacks to more than {self._max_bytes} bytes, the limit. Upload it in parts.",
                limit=self._max_bytes,
            )
        if self._n_unpacked > max(FREE_BYTES, MAX_RATIO * self._n_arrived):
            raise ArchiveError(
                f"The archive unpacks to more than {MAX_RATIO} times its size, which pictures never do."
                " Upload the folder instead."
            )

    def count_entry(self) -> None:
        self._n_entries += 1
        if self._n_entries > MAX_ENTRIES:
            raise ArchiveError(
                f"The archive has more than {MAX_ENTRIES} entries, the limit. Upload it in parts.", limit=MAX_ENTRIES
            )


def _check_is_tar(head: bytes) -> None:
    for signature, name in _OTHER_ARCHIVES.items():
        if head.startswith(signature):
            raise ArchiveError(f"{name} archives are not supported. Upload a TAR, TAR.GZ or ZIP.")
    if not head:
        raise ArchiveError("The archive is empty (0 bytes). Upload a TAR, TAR.GZ or ZIP.")
    try:
        if head.strip(b"\0"):
            check_header(head.ljust(BLOCK, b"\0"), 0)
    except TarError as error:
        raise ArchiveError("This is not a supported archive. Upload a TAR, TAR.GZ or ZIP.") from error


def _read_tar(source: Source, max_image_bytes: int) -> Iterator[File | SkippedEntry]:
    for member in read_members(source):
        if member.is_folder or is_ignored(member.path):
            continue
        if member.refusal:
            yield SkippedEntry(member.path, member.refusal)
        elif member.declared_bytes is not None:
            yield File(member.path, None, member.declared_bytes)
        else:
            is_taken = member.n_bytes <= max_image_bytes
            data = _collect(source.pieces(member.n_bytes), max_image_bytes)
            yield File(member.path, data if is_taken else None, member.n_bytes)
    check_ending(source)


def _collect(pieces: Iterable[bytes | memoryview], max_bytes: int) -> bytearray:
    """Join pieces, which may be many and tiny; beyond the limit read on, but keep no more."""
    kept = bytearray()
    n_bytes = 0
    for piece in pieces:
        n_bytes += len(piece)
        if n_bytes <= max_bytes:
            kept += piece
        else:
            kept.clear()
    return kept


class _Gunzip:
    """The bytes inside a gzip, one member or several behind each other."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pieces = self._unpack()

    def read(self, n_bytes: int) -> bytes:
        """Return some bytes, not necessarily the number asked for; b"" at the end."""
        return next(self._pieces, b"")

    def _unpack(self) -> Iterator[bytes]:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while part := self._source.take_some(2**16):
            if inflater.eof:
                inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                yield from inflate_piece(inflater, part)
            except zlib.error as error:
                raise ArchiveError("The gzip is damaged. Pack it again, or upload the TAR itself.") from error
            if inflater.eof:
                self._source.unread(inflater.unused_data)
                self._skip_padding()
        if not inflater.eof:
            raise ArchiveError("The gzip is incomplete. Upload it again.")

    def _skip_padding(self) -> None:
        """Read past the zeros that tapes and some tools leave behind a gzip."""
        while part := self._source.take_some(BLOCK):
            if rest := bytes(part).lstrip(b"\0"):
                self._source.unread(rest)
                return


def _read_zip(source: Source, budget: _Budget, max_image_bytes: int) -> Iterator[File | SkippedEntry]:
    """Read a zip. Small texts wait for its directory, which alone distinguishes symbolic links from files."""
    waiting: dict[int, File] = {}
    try:
        for member in read_zip_members(source):
            file = _read_zip_file(source, member, budget, max_image_bytes)
            if isinstance(file, File) and _may_be_link(file) and len(waiting) < _MAX_WAITING_LINKS:
                waiting[member.offset] = file
            elif file is not None:
                yield file
    except Exception:
        yield from waiting.values()
        raise
    for offset in read_link_offsets(source):
        if offset in waiting:
            yield SkippedEntry(waiting.pop(offset).path, "a symbolic link")
    yield from waiting.values()
    while source.take_some(2**20):  # the rest of the directory: the body is read to its end
        pass


def _read_zip_file(
    source: Source, member: ZipMember, budget: _Budget, max_image_bytes: int
) -> File | SkippedEntry | None:
    content = ContentReader(source, member)
    is_counted = not (member.is_folder or is_ignored(member.path))
    if member.refusal:
        content.skip()
        return SkippedEntry(member.path, member.refusal) if is_counted else None
    n_bytes = 0

    def counted() -> Iterator[bytes | memoryview]:
        nonlocal n_bytes
        for piece in content.unpack():
            budget.count_unpacked(piece)
            n_bytes += len(piece)
            yield piece

    try:
        data = _collect(counted(), max_image_bytes)
    except BadEntry as error:
        return SkippedEntry(member.path, str(error)) if is_counted else None
    if not is_counted:
        return None
    return File(member.path, data if n_bytes <= max_image_bytes else None, n_bytes)


def _may_be_link(file: File) -> bool:
    """A link's content is its target's path: a short text."""
    if file.data is None or not 0 < file.n_bytes <= _MAX_LINK_BYTES or b"\0" in file.data:
        return False
    try:
        file.data.decode()
    except UnicodeDecodeError:
        return False
    return True
