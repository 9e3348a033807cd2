"""Packing files into shards.

File, Skipped ─► pack ─► shards of at most 256 files and 32 MiB, and what was skipped between them
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from core.formats.archives.collecting import pieces_of
from core.formats.archives.entries import File, SkippedEntry
from core.formats.shards import ShardBuilder

_MAX_SKIPPED = 1000  # listed with one shard


class PackedShard(NamedTuple):
    """One shard, None when there were only skipped entries, and what was skipped since the one before."""

    shard: BinaryIO | None
    skipped: list[SkippedEntry]


class ShardPacker:
    """Puts files into shards of at most 256 files and 32 MiB, or of one larger file, in order.

    Paths are unique over the whole archive, as they are in a folder.
    """

    def __init__(self, open_file: Callable[[], BinaryIO] | None = None) -> None:
        """Begin without any file.

        Args:
            open_file: Makes the files of shards, as `ShardBuilder` takes it.
        """
        self._open_file = open_file
        self._builder = ShardBuilder(open_file)
        self._skipped: list[SkippedEntry] = []
        self._seen: set[int] = set()  # hashes: a tenth of the memory of a million paths

    def pack(self, files: Iterable[File | SkippedEntry]) -> Iterator[PackedShard]:
        """Put files into shards. When `files` fails, what came before is packed and handed out first.

        Args:
            files: From `read_archive`.
        """
        try:
            for file in files:
                yield from self._add(file)
        except Exception:  # also when the sender has disconnected: complete files stay
            yield from self._flush()
            raise
        else:
            yield from self._flush()
        finally:
            self._builder.close()

    def find(self, path: str) -> File | None:
        """Find a file in the shard that is being filled."""
        data = self._builder.read(path)
        return None if data is None else File(path, data, len(data))

    def _add(self, file: File | SkippedEntry) -> Iterator[PackedShard]:
        if isinstance(file, SkippedEntry):
            self._skipped.append(file)
        elif hash(file.path) in self._seen:
            self._skipped.append(SkippedEntry(file.path, "a second file of the same path"))
        else:
            self._seen.add(hash(file.path))
            if self._builder.is_full_for(len(file.data or b"")):
                yield from self._flush()
            if file.data is None:
                self._builder.add_oversize(file.path, file.n_bytes)
            else:
                self._builder.add(file.path, len(file.data), pieces_of(file.data), file.modified_at)
        if len(self._skipped) >= _MAX_SKIPPED:
            yield from self._flush()

    def _flush(self) -> Iterator[PackedShard]:
        builder, skipped = self._builder, self._skipped
        self._builder, self._skipped = ShardBuilder(self._open_file), []
        if builder.n_files or skipped:
            yield PackedShard(builder.finish() if builder.n_files else None, skipped)
