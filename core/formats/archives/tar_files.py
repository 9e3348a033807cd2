"""The files of a tar, hard links among them: each repeats the entry that it names.

Read leniently: tars behind each other are one, and what is no tar behind the last one is skipped.
"""

from collections import deque
from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, TypeAlias, cast

from core.formats.archives.budget import Budget
from core.formats.archives.collecting import collect
from core.formats.archives.entries import File, Item, SkippedEntry
from core.formats.archives.names import NameDecoder
from core.formats.tar import Source, read_members
from core.formats.tar_headers import BLOCK, Member, TarError, check_header, header_path

FindFile: TypeAlias = Callable[[str], File | None]
FindKind: TypeAlias = Callable[[str], str | None]

KEPT_BYTES = 64 * 2**20  # of the tar behind the first name that is not UTF-8, to guess its encoding from more names
_KEPT_IN_MEMORY = 2**20
_NAME_BYTES = 100  # a longer path is cut off in its header, or stands elsewhere
_MAX_WAITING_LINKS = 10_000
_NO_TARGET = "a hard link to a file that is not in the archive"
_TOO_MANY_BYTES = "a hard link that repeats more bytes than are allowed"


class TarReader:
    """Reads one tar.

    Args:
        find_file: Finds a file that was handed out before, by its path.
        ignored_kind: Finds what a file is that is left out, by its path.
    """

    def __init__(
        self,
        source: Source,
        budget: Budget,
        names: NameDecoder,
        max_image_bytes: int,
        find_file: FindFile,
        ignored_kind: FindKind,
    ) -> None:
        """Stand before the tar's first byte."""
        self._source = source
        self._budget = budget
        self._names = names
        self._max_image_bytes = max_image_bytes
        self._find_file = find_file
        self._ignored_kind = ignored_kind
        self._waiting: dict[str, list[Member]] = {}  # links that came before the entry they name, by its path
        self._n_waiting = 0
        self._kept = cast(BinaryIO, SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY))  # noqa: SIM115, `read` closes it
        self._has_looked_ahead = False

    def read(self) -> Iterator[Item]:
        """Read its files.

        Raises:
            TarError: It is damaged or cut off.
        """
        with self._kept:
            yield from self._read()

    def _read(self) -> Iterator[Item]:
        while True:
            for member in read_members(self._source, self._decode):
                if not member.is_folder:
                    yield from self._read_member(member)
            if not self._is_tar_next():
                break
        if self._source.take_some(1):
            yield SkippedEntry("(behind the end of the tar)", "bytes that are no tar")
            while self._source.take_some(2**20):
                pass
        for links in self._waiting.values():
            for link in links:
                yield SkippedEntry(link.path, _NO_TARGET)

    def _read_member(self, member: Member) -> Iterator[Item]:
        if kind := self._ignored_kind(member.path):
            yield SkippedEntry(member.path, kind)
            return
        if member.link_target:
            yield from self._link(member)
            return
        if member.refusal:
            yield SkippedEntry(member.path, member.refusal)
            return
        if member.declared_bytes is not None:
            yield File(member.path, None, member.declared_bytes)
        else:
            data = collect(self._source.pieces(member.n_bytes), self._max_image_bytes)
            kept = data if member.n_bytes <= self._max_image_bytes else None
            yield File(member.path, kept, member.n_bytes, modified_at=member.modified_at)
        if self._waiting:
            yield from self._follow(member.path)

    def _link(self, link: Member) -> Iterator[Item]:
        item = self._repeat(link)
        if item is not None:
            yield item
            yield from self._follow(link.path)
        elif link.path != link.link_target and self._n_waiting < _MAX_WAITING_LINKS:
            self._waiting.setdefault(link.link_target, []).append(link)
            self._n_waiting += 1
        else:
            yield SkippedEntry(link.path, _NO_TARGET)

    def _follow(self, path: str) -> Iterator[Item]:
        """Hand out the links that waited for a file, and those that waited for them."""
        targets = deque([path])
        while targets:
            target = targets.popleft()
            for link in self._waiting.pop(target, ()):
                yield self._repeat(link) or SkippedEntry(link.path, _NO_TARGET)
                targets.append(link.path)

    def _repeat(self, link: Member) -> Item | None:
        file = self._find_file(link.link_target)
        if file is None:
            return None
        if not self._budget.can_link(len(file.data or b"")):
            return SkippedEntry(link.path, _TOO_MANY_BYTES)
        return File(link.path, file.data, file.n_bytes, link.link_target, link.modified_at)

    def _is_tar_next(self) -> bool:
        """Read past zeros, of which some programs write many; return whether another tar begins behind them."""
        while part := self._source.take(BLOCK):
            block = bytes(part)
            if block.strip(b"\0"):
                self._source.unread(block)
                return len(block) == BLOCK and _is_header(block)
        return False

    def _decode(self, path: bytes) -> bytes:
        if path.isascii():
            return path
        if not self._has_looked_ahead and self._names.needs_evidence(path):
            self._look_ahead()
        text = self._names.decode(path)
        return path if text is None else text.encode()

    def _look_ahead(self) -> None:
        """Take the names to come as evidence of their encoding."""
        self._has_looked_ahead = True
        self._source.keep_ahead(self._kept, KEPT_BYTES)
        self._names.learn(names_in_headers(self._kept))
        self._kept.seek(0)


def names_in_headers(file: BinaryIO) -> Iterator[bytes]:
    """The paths in the headers of a part of a tar, from its beginning on, but those that are cut off there."""
    file.seek(0)
    while len(block := file.read(BLOCK)) == BLOCK:
        try:
            _, size = check_header(block, 0)
        except TarError:
            continue  # of the content before
        if b"\0" in block[:_NAME_BYTES]:
            yield header_path(block)
        file.seek(size + -size % BLOCK, 1)


def _is_header(block: bytes) -> bool:
    try:
        check_header(block, 0)
    except TarError:
        return False
    return True
