"""Folders and bucket prefixes that schedules import from: their files in order, without following links.

A folder is walked and its files are opened component by component below an open root with O_NOFOLLOW. So a user who can
write there cannot lead out of it, even by replacing folders with links in the meantime. Files that have just changed
are left for the next run, because another program may still be writing them.
"""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from core.base.errors import ConfigError, Invalid
from core.formats.archives.entries import SkippedEntry
from core.formats.ignored_names import kind_of_file, kind_of_folder, kind_of_path
from core.formats.tar_headers import clean_path
from core.ingest import imported_files
from core.ingest.imported_files import SourceFile
from core.storage.allowed_roots import find_root, is_bucket, name_of_source
from core.storage.buckets import BucketPrefix, open_bucket

SETTLE_S = 5.0
LISTED = 500
MAX_DEPTH = 100  # folders in each other: each level holds an open folder, and a frame of the stack
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnreadableFile(Exception):
    """A file cannot be read, or changed while it was read; the text is the reason for skipping it."""


@dataclass(frozen=True)
class SourceEntry:
    """A file of a source.

    Attributes:
        path: Its path in the upload, below the name of the source's own folder.
        identity: Path, size and time, by which an imported file is recognised.
        read: Returns its first bytes, up to a number; raises UnreadableFile.
    """

    path: str
    identity: SourceFile
    read: Callable[[int], bytes]


@dataclass
class Source:
    """The files below a folder or a prefix.

    Attributes:
        n_fresh: Files that are left for the next run.
        ignored: What systems and tools left behind, by kind; a folder of it counts once, its files do not.
    Raises:
        Invalid: It is not below the operator's roots, or does not exist.
    """

    address: str
    roots: list[str]
    n_fresh: int = field(default=0, init=False)
    ignored: Counter[str] = field(default_factory=Counter, init=False)

    @property
    def name(self) -> str:
        """The name of its own folder."""
        return name_of_source(self.address)

    def walk(self) -> Iterator[SourceEntry | SkippedEntry]:
        """All files and skipped entries, in an order that is the same as long as nothing changes."""
        root = find_root(self.address, self.roots)
        if root is None:
            raise Invalid(
                f"{self.address} is no longer in a folder that this server may read. Ask your administrator to allow"
                " it, or choose another folder."
            )
        files = self._walk_bucket() if is_bucket(self.address) else self._walk_folder(Path(root))
        for entry in files:
            if isinstance(entry, SourceEntry) and 0 <= time.time() - entry.identity.mtime_ns / 1e9 < SETTLE_S:
                self.n_fresh += 1
            else:
                yield entry

    def _make_entry(
        self, relative: bytes, n_bytes: int, mtime_ns: int, read: Callable[[int], bytes]
    ) -> SourceEntry | SkippedEntry:
        path, refusal = clean_path(os.fsencode(self.name) + b"/" + relative)
        if refusal:
            return SkippedEntry(path, refusal)
        return SourceEntry(path, SourceFile(imported_files.path_key(self.address, relative), n_bytes, mtime_ns), read)

    def _walk_folder(self, root: Path) -> Iterator[SourceEntry | SkippedEntry]:
        below = Path(self.address).relative_to(root).parts
        try:
            top = _open_folder(root, below)
        except OSError as error:
            raise Invalid(
                f"The folder {self.address} cannot be read ({error.strerror}). Correct that, or choose another folder."
            ) from error
        skipped: list[SkippedEntry] = []

        def note(error: OSError) -> None:
            skipped.append(self._skip(str(error.filename or ""), f"a folder that cannot be read ({error.strerror})"))

        try:
            for folder, folders, names, descriptor in os.fwalk(".", dir_fd=top, onerror=note):
                folders[:] = sorted(self._without_ignored(folders, kind_of_folder))
                if folder.count("/") == MAX_DEPTH:
                    too_deep = f"a folder in more than {MAX_DEPTH} others"
                    skipped += [self._skip(os.path.join(folder, name), too_deep) for name in folders]
                    folders.clear()
                for name in sorted([*folders, *self._without_ignored(names, kind_of_file)]):
                    relative = os.path.join(folder, name)[2:]
                    yield from self._check_entry(descriptor, name, relative, root, (*below, *relative.split("/")))
                yield from skipped
                skipped.clear()
            yield from skipped
        finally:
            os.close(top)

    def _skip(self, relative: str, reason: str) -> SkippedEntry:
        return SkippedEntry(clean_path(os.fsencode(self.name) + b"/" + os.fsencode(relative))[0], reason)

    def _without_ignored(self, names: list[str], find_kind: Callable[[str], str | None]) -> Iterator[str]:
        for name in names:
            if kind := find_kind(name):
                self.ignored[kind] += 1
            else:
                yield name

    def _check_entry(
        self, folder: int, name: str, relative: str, root: Path, parts: tuple[str, ...]
    ) -> Iterator[SourceEntry | SkippedEntry]:
        """The entry for a name in an open folder; nothing if it is a folder itself or no longer exists."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return
        encoded = os.fsencode(relative)
        if stat.S_ISREG(status.st_mode):
            version = (status.st_size, status.st_mtime_ns)
            yield self._make_entry(encoded, *version, lambda n: _read_file(root, parts, version, n))
        elif not stat.S_ISDIR(status.st_mode):
            is_link = stat.S_ISLNK(status.st_mode)
            yield self._skip(relative, "a symbolic link" if is_link else "a device or another special file")

    def _walk_bucket(self) -> Iterator[SourceEntry | SkippedEntry]:
        store = self._open_bucket()
        try:
            for page in store.list(chunk_size=LISTED):
                for item in page:
                    path, size, moment = item["path"], item["size"], item["last_modified"]
                    if path.endswith("/"):
                        continue
                    if kind := kind_of_path(path):
                        self.ignored[kind] += 1
                    else:
                        mtime_ns = int(moment.timestamp() * 1000) * 10**6
                        yield self._make_entry(path.encode(), size, mtime_ns, _object_reader(store, path, size))
        except (BaseError, OSError) as error:
            raise Invalid(f"The bucket at {self.address} cannot be listed: {error}") from error

    def _open_bucket(self) -> ObjectStore:
        try:
            return open_bucket(BucketPrefix.parse(self.address))
        except (BaseError, ConfigError, ValueError) as error:
            raise Invalid(f"The bucket at {self.address} cannot be opened: {error}") from error


def _object_reader(store: ObjectStore, path: str, size: int) -> Callable[[int], bytes]:
    def read(n_bytes: int) -> bytes:
        try:
            length = min(n_bytes, size)
            return bytes(store.get_range(path, start=0, length=length)) if length else b""
        except (BaseError, OSError) as error:
            raise UnreadableFile("a file that could not be read") from error

    return read


def _open_folder(root: Path, parts: tuple[str, ...]) -> int:
    """A descriptor of a folder below the root; no component of its path is a link."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        try:
            next_descriptor = os.open(part, _FOLDER, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = next_descriptor
    return descriptor


def _read_file(root: Path, parts: tuple[str, ...], version: tuple[int, int], n_bytes: int) -> bytes:
    try:
        folder = _open_folder(root, parts[:-1])
        try:
            descriptor = os.open(parts[-1], _FILE, dir_fd=folder)
        finally:
            os.close(folder)
        with os.fdopen(descriptor, "rb") as file:
            _check_unchanged(descriptor, version)
            data = file.read(n_bytes)
            _check_unchanged(descriptor, version)
            return data
    except OSError as error:
        raise UnreadableFile(f"a file that cannot be read ({error.strerror})") from error


def _check_unchanged(descriptor: int, version: tuple[int, int]) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_size, status.st_mtime_ns) != version:
        raise UnreadableFile("a file that was being changed")
