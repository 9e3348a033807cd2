"""Files of one's own disk by path and by content (SHA-256); each is read once at most."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pawsort.sending.sources import SourceFile, walk

Stamp = tuple[int, int, int, int]


class Hashes:
    """SHA-256 of files. Several names of one file (hard links) are read once."""

    def __init__(self) -> None:
        self._known: dict[Stamp, bytes] = {}

    def of(self, file: Path) -> bytes | None:
        """None for what is no regular file, or cannot be read."""
        try:
            if file.is_symlink() or not file.is_file():
                return None
            about = file.stat()
            stamp = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
            if stamp not in self._known:
                with file.open("rb") as opened:
                    self._known[stamp] = hashlib.file_digest(opened, "sha256").digest()
        except OSError:
            return None
        return self._known[stamp]


class Contents:
    """The files below a folder, as they were when it was first looked at.

    Args:
        without: A folder below it that is left out.
    """

    def __init__(self, folder: Path, hashes: Hashes, without: Path | None = None) -> None:
        self._hashes = hashes
        self._folder = folder
        self._without = without.resolve() if without else None
        self._by_path = dict(self._walk())
        self._by_content: dict[bytes, list[Path]] | None = None

    def at(self, path: str) -> Path | None:
        """The file at a path below the folder."""
        return self._by_path.get(path)

    def with_content(self, sha256: bytes) -> list[Path]:
        """All files of this content; the first question reads all files."""
        if self._by_content is None:
            self._by_content = {}
            for file in self._by_path.values():
                found = self._hashes.of(file)
                if found is not None:
                    self._by_content.setdefault(found, []).append(file)
        return self._by_content.get(sha256, [])

    def _walk(self) -> Iterator[tuple[str, Path]]:
        """Paths without the folder's own name."""
        if not self._folder.is_dir():
            return
        is_root = not self._folder.resolve().name
        for item in walk([self._folder]):
            if isinstance(item, SourceFile) and not self._is_left_out(item.file):
                yield item.path if is_root else item.path.partition("/")[2], item.file

    def _is_left_out(self, file: Path) -> bool:
        return self._without is not None and file.resolve().is_relative_to(self._without)


class Originals:
    """What was sent, found again: where it was, else wherever its content lies now."""

    def __init__(self, folder: Path, hashes: Hashes, without: Path) -> None:
        self._hashes = hashes
        self._files = Contents(folder, hashes, without)
        self._gone: set[Path] = set()

    def find(self, path: str, sha256: bytes) -> Path | None:
        """The file that was sent under a path with this content; None when it is nowhere.

        Args:
            path: As it was sent: with the name of the given folder, which may be another one now, in front.
        """
        file = self.find_at(path)
        if file is not None and self._hashes.of(file) == sha256:
            return file
        return next((file for file in self._files.with_content(sha256) if file not in self._gone), None)

    def find_at(self, path: str) -> Path | None:
        """The file at the path that it was sent from, whatever it holds."""
        found = (self._files.at(name) for name in (path.partition("/")[2], path))
        return next((file for file in found if file is not None and file not in self._gone), None)

    def forget(self, file: Path) -> None:
        """It has been moved away."""
        self._gone.add(file)
