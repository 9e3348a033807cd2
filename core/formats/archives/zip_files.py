"""The files of a zip: by its directory where all of it is at hand, else by the local headers as they come.

Only the directory knows which entries were deleted, which are symbolic links, and all names for a guess at their
encoding. So up to 64 MiB of a zip are kept on disk. Of a larger one, what was deleted cannot be known in time, and the
encoding is guessed from the names in the first 64 MiB.
"""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from core.formats.archives.budget import FREE_ENTRIES, MIN_ENTRY_BYTES, Budget
from core.formats.archives.collecting import collect
from core.formats.archives.entries import File, Item, SkippedEntry
from core.formats.archives.names import NameDecoder
from core.formats.archives.tar_files import FindKind
from core.formats.archives.zip_content import BadEntry, ContentReader
from core.formats.archives.zip_directory import Directory, find_directory, list_entries, names_of, read_entry
from core.formats.archives.zip_headers import (
    LOCAL,
    ZipMember,
    member_of,
    names_in_headers,
    read_link_offsets,
    read_local_header,
    read_zip_members,
)
from core.formats.tar import Beginning, Source

KEPT_BYTES = 64 * 2**20
_KEPT_IN_MEMORY = 2**20  # of each zip that is being received
_PIECE_BYTES = 2**20
_MAX_LINK_BYTES = 4096
_MAX_WAITING_LINKS = 10_000


class ZipReader:
    """Reads one zip."""

    def __init__(
        self, source: Source, budget: Budget, names: NameDecoder, max_image_bytes: int, ignored_kind: FindKind
    ) -> None:
        """Stand before the zip's first byte."""
        self._source = source
        self._budget = budget
        self._names = names
        self._max_image_bytes = max_image_bytes
        self._ignored_kind = ignored_kind

    def read(self) -> Iterator[Item]:
        """Read its files.

        Raises:
            ArchiveError, ZipError: It is damaged, cut off, or a bomb.
        """
        with cast(BinaryIO, SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY)) as kept:
            beginning = Beginning(self._source, kept, KEPT_BYTES)
            directory = find_directory(kept) if beginning.is_whole else None
            if directory:
                yield from self._read_by_directory(kept, directory)
            else:
                self._names.learn(names_in_headers(kept))
                kept.seek(0)
                yield from self._read_by_headers(Source(beginning.read, self._budget.count_read))

    def _read_by_directory(self, kept: BinaryIO, directory: Directory) -> Iterator[Item]:
        limit = FREE_ENTRIES + kept.seek(0, 2) // MIN_ENTRY_BYTES + 1
        self._names.learn(names_of(kept, directory, limit))
        source = Source(_Rewindable(kept).read, self._budget.count_read)
        for offset, at in list_entries(kept, directory, limit):
            entry = read_entry(kept, at)
            is_apart = source.position <= offset
            if is_apart:
                _skip_to(source, offset)
            if not is_apart or bytes(source.take(len(LOCAL))) != LOCAL:
                reason = "a damaged file (its header is missing)" if is_apart else "an entry inside another one"
                yield SkippedEntry(entry.name.decode("utf-8", "backslashreplace"), reason)
                continue
            member = member_of(read_local_header(source, offset, self._names), entry, self._names)
            if (item := self._read_member(source, member)) is not None:
                yield item

    def _read_by_headers(self, source: Source) -> Iterator[Item]:
        """Read a zip as it comes. Small texts wait for its directory, which alone tells symbolic links from files."""
        waiting: dict[int, File] = {}
        try:
            for member in read_zip_members(source, self._names):
                item = self._read_member(source, member)
                if isinstance(item, File) and _may_be_link(item) and len(waiting) < _MAX_WAITING_LINKS:
                    waiting[member.offset] = item
                elif item is not None:
                    yield item
        except Exception:
            yield from waiting.values()
            raise
        for offset in read_link_offsets(source):
            if offset in waiting:
                yield SkippedEntry(waiting.pop(offset).path, "a symbolic link")
        yield from waiting.values()
        while source.take_some(_PIECE_BYTES):  # the rest of the directory: the body is read to its end
            pass

    def _read_member(self, source: Source, member: ZipMember) -> Item | None:
        content = ContentReader(source, member)
        ignored_kind = None if member.is_folder else self._ignored_kind(member.path)
        if member.refusal:
            content.skip()
            return None if member.is_folder else SkippedEntry(member.path, ignored_kind or member.refusal)
        n_bytes = 0

        def counted() -> Iterator[bytes | memoryview]:
            nonlocal n_bytes
            for piece in content.unpack():
                self._budget.count_unpacked(piece)
                n_bytes += len(piece)
                yield piece

        try:
            data = collect(counted(), 0 if ignored_kind else self._max_image_bytes)
        except BadEntry as error:
            return None if member.is_folder else SkippedEntry(member.path, ignored_kind or str(error))
        if member.is_folder:
            return None
        if ignored_kind:
            return SkippedEntry(member.path, ignored_kind)
        kept = data if n_bytes <= self._max_image_bytes else None
        return File(member.path, kept, n_bytes, modified_at=member.modified_at)


class _Rewindable:
    """Reads a file on, although others seek in it between."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def read(self, n_bytes: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(n_bytes)
        self._at += len(data)
        return data


def _skip_to(source: Source, offset: int) -> None:
    while source.position < offset and source.take_some(offset - source.position):
        pass


def _may_be_link(file: File) -> bool:
    """A link's content is its target's path: a short text."""
    if not isinstance(file.data, bytearray) or not 0 < file.n_bytes <= _MAX_LINK_BYTES or b"\0" in file.data:
        return False
    try:
        file.data.decode()
    except UnicodeDecodeError:
        return False
    return True
