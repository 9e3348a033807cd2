"""Pack files into shards: tars of at most 256 files and 32 MiB of content, or of one larger file.

The first and the last shards are smaller: workers begin at once, and no worker has much left when the others have
finished.

A file is read completely before its header is written. So a file that grows, shrinks or disappears meanwhile cannot
break the tar: the header always gives the number of bytes that follow.
"""

import io
import os
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from pawsort.uploads.sources import SkippedPath, SourceFile

MIB = 2**20
MAX_FILES = 256
MAX_BYTES = 32 * MIB
MAX_IMAGE_BYTES = 64 * MIB
# The pax key with the true size of a file that is too large to upload. Its entry is empty.
SIZE_KEY = "PAWSORT.size"
_FEW_FILES, _FEW_BYTES = 16, 8 * MIB  # the smallest shard of many: each costs a few requests and transactions
_LOOK_AHEAD = 4 * MAX_FILES
_PARTS_OF_REST = 4  # the last files are shared out in parts of a quarter of what is left


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the server: files and bytes of content in a shard, and bytes of one image."""

    max_files: int = MAX_FILES
    max_bytes: int = MAX_BYTES
    max_image_bytes: int = MAX_IMAGE_BYTES


@dataclass(frozen=True, slots=True)
class Shard:
    """One tar, ready to be uploaded. `n_bytes` counts the content without headers."""

    seq: int
    n_files: int
    n_bytes: int
    tar: bytes


class _Content(NamedTuple):
    """A file as it was read. Above the limit there is no data, but the true size."""

    data: bytes
    true_size: int | None
    modified_at: int


class _Tar:
    """A tar that grows in memory."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self.n_files = 0
        self.n_bytes = 0

    def add(self, path: str, content: "_Content") -> None:
        entry = tarfile.TarInfo(path)
        entry.size = len(content.data)
        entry.mtime = content.modified_at
        if content.true_size is not None:
            entry.pax_headers = {SIZE_KEY: str(content.true_size)}
        self._buffer.write(entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))
        self._buffer.write(content.data)
        self._buffer.write(bytes(-len(content.data) % tarfile.BLOCKSIZE))
        self.n_files += 1
        self.n_bytes += len(content.data)

    def finish(self, seq: int) -> Shard:
        self._buffer.write(bytes(2 * tarfile.BLOCKSIZE))
        return Shard(seq, self.n_files, self.n_bytes, self._buffer.getvalue())


def pack(
    files: Iterable[SourceFile], limits: Limits, on_skip: Callable[[SkippedPath], object], first_seq: int = 0
) -> Iterator[Shard]:
    """Pack files, in their order, into shards numbered from `first_seq`.

    Args:
        on_skip: Called for each file that cannot be read; the others are packed.
    """
    tar, seq = _Tar(), first_seq
    line = _Line(files)
    most = line.next_limits(limits, seq - first_seq)
    for source in line:
        try:
            content = _read(source, limits.max_image_bytes)
        except OSError as error:
            on_skip(SkippedPath(source.path, f"it cannot be read: {error.strerror or error}", lost=True))
            continue
        if tar.n_files and (tar.n_files >= most.max_files or tar.n_bytes + len(content.data) > most.max_bytes):
            yield tar.finish(seq)
            tar, seq = _Tar(), seq + 1
            most = line.next_limits(limits, seq - first_seq)
        tar.add(source.path, content)
    if tar.n_files:
        yield tar.finish(seq)


class _Line:
    """The files that are still to be packed, of which the next ones are known."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._files = iter(files)
        self._known: deque[SourceFile] = deque()
        self._n_bytes = 0

    def __iter__(self) -> Iterator[SourceFile]:
        while self._look_ahead():
            source = self._known.popleft()
            self._n_bytes -= source.n_bytes
            yield source

    def next_limits(self, limits: Limits, n_shards: int) -> Limits:
        """Return the limits of the shard after so many shards: they double at first, and follow the rest at last."""
        n_files, n_bytes = _FEW_FILES << min(n_shards, 16), _FEW_BYTES << min(n_shards, 16)
        n_left = self._look_ahead()
        if n_left < _LOOK_AHEAD:
            n_files = min(n_files, max(n_left // _PARTS_OF_REST, _FEW_FILES))
            n_bytes = min(n_bytes, max(self._n_bytes // _PARTS_OF_REST, _FEW_BYTES))
        return replace(limits, max_files=min(n_files, limits.max_files), max_bytes=min(n_bytes, limits.max_bytes))

    def _look_ahead(self) -> int:
        """See which files come next. Return how many are known: all that are left, or as many as are looked at."""
        for source in islice(self._files, _LOOK_AHEAD - len(self._known)):
            self._known.append(source)
            self._n_bytes += source.n_bytes
        return len(self._known)


def _read(source: SourceFile, max_image_bytes: int) -> _Content:
    # O_NONBLOCK: a pipe that replaced the file since the walk would block for ever.
    with open(os.open(source.file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        modified_at = max(int(status.st_mtime), 0)
        if status.st_size > max_image_bytes:
            return _Content(b"", status.st_size, modified_at)
        data = file.read(status.st_size + 1)
        if len(data) > status.st_size:  # it has grown
            data += file.read(max_image_bytes + 1 - len(data))
    if len(data) > max_image_bytes:
        return _Content(b"", len(data), modified_at)
    return _Content(data, None, modified_at)
