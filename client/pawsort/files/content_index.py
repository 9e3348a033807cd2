"""The files of a folder by path and by content (SHA-256). Each file is read at most once."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pawsort.uploads.sources import SourceFile, walk

Stamp = tuple[int, int, int, int]


class FileHashes:
    """SHA-256 of files. Hard links to one file are read once."""

    def __init__(self) -> None:
        self._known: dict[Stamp, bytes] = {}

    def of(self, file: Path) -> bytes | None:
        """Return the digest; None for anything but a regular file, and for a file that cannot be read."""
        try:
            if file.is_symlink() or not file.is_file():
                return None
            status = file.stat()
            stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if stamp not in self._known:
                with file.open("rb") as opened:
                    self._known[stamp] = hashlib.file_digest(opened, "sha256").digest()
        except OSError:
            return None
        return self._known[stamp]


class ContentIndex:
    """The files below a folder, as they were when the index was made.

    Args:
        without: A folder below it that is left out.
    """

    def __init__(self, folder: Path, hashes: FileHashes, without: Path | None = None) -> None:
        self._hashes = hashes
        self._folder = folder
        self._without = without.resolve() if without else None
        self._by_path = dict(self._walk())
        self._by_content: dict[bytes, list[Path]] | None = None

    def at(self, path: str) -> Path | None:
        """Return the file at a path below the folder, if there is one."""
        return self._by_path.get(path)

    def with_content(self, sha256: bytes) -> list[Path]:
        """Return all files with this content. The first call reads every file."""
        if self._by_content is None:
            self._by_content = {}
            for file in self._by_path.values():
                digest = self._hashes.of(file)
                if digest is not None:
                    self._by_content.setdefault(digest, []).append(file)
        return self._by_content.get(sha256, [])

    def _walk(self) -> Iterator[tuple[str, Path]]:
        """Iterate over paths, without the folder's own name, and files."""
        if not self._folder.is_dir():
            return
        is_root = not self._folder.resolve().name
        for item in walk([self._folder], everything=True):
            if isinstance(item, SourceFile) and not self._is_left_out(item.file):
                yield item.path if is_root else item.path.partition("/")[2], item.file

    def _is_left_out(self, file: Path) -> bool:
        return self._without is not None and file.resolve().is_relative_to(self._without)


class OriginalFinder:
    """Finds the files of an upload on this disk: at their old path, else by their content."""

    def __init__(self, folder: Path, hashes: FileHashes, without: Path) -> None:
        self._hashes = hashes
        self._files = ContentIndex(folder, hashes, without)
        self._moved: set[Path] = set()

    def find(self, path: str, sha256: bytes) -> Path | None:
        """Return the file that was uploaded under a path with this content; None if it is nowhere.

        Args:
            path: The path in the upload. It begins with the given folder's name, which may have changed since.
        """
        file = self.find_at(path)
        if file is not None and self._hashes.of(file) == sha256:
            return file
        return next((file for file in self._files.with_content(sha256) if file not in self._moved), None)

    def find_at(self, path: str) -> Path | None:
        """Return the file at its old path, whatever its content is now."""
        candidates = (self._files.at(name) for name in (path.partition("/")[2], path))
        return next((file for file in candidates if file is not None and file not in self._moved), None)

    def forget(self, file: Path) -> None:
        """Do not find this file again: it has been moved."""
        self._moved.add(file)
