"""Weights and converted bodies on the disk of a worker: fetched from the blob store once, checked each time."""

import hashlib
from pathlib import Path
from secrets import token_hex

from core.models import registry
from core.storage.blobs import Blobs

MAX_FILES = 20


class BlobCache:
    """The files of the last few versions, by their digests."""

    def __init__(self, blobs: Blobs, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder

    def fetch(self, digest: str, what: str) -> bytes:
        """A blob from the disk or the blob store; checked in both cases.

        Args:
            digest: Its SHA-256.
            what: Its name in the sentences.
        Raises:
            BadWeights: The store has none, or another one.
        """
        path = self._folder / digest
        if path.exists() and hashlib.sha256(data := path.read_bytes()).hexdigest() == digest:
            return data
        data = registry.fetch_digest(self._blobs, digest, what)
        self._folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{token_hex(4)}")
        part.write_bytes(data)
        part.replace(path)
        self._trim()
        return data

    def _trim(self) -> None:
        """Delete the files that were fetched longest ago; the blob store has all of them."""
        files = [(path.stat().st_mtime, path) for path in self._folder.iterdir() if not path.suffix]
        for _, path in sorted(files)[:-MAX_FILES]:
            path.unlink(missing_ok=True)
