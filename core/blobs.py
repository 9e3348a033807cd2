"""The blob store: bytes under keys, written once, in a local folder or in S3, GCS or Azure (obstore).

Keys: `uploads/<upload uuid>/<seq>-<random>.tar` for shards, `models/<sha256>` for weights, `trainings/<job uuid>/…` for
what trainings go on from.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO
from urllib.parse import unquote, urlsplit
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from core.errors import BlobMissing, ConfigError, DiskFull

DELETE_SLICE = 500


def shard_key(upload_uuid: UUID, seq: int) -> str:
    """A fresh key for one shard: two senders of the same shard never write to the same blob."""
    return f"{upload_prefix(upload_uuid)}{seq:08d}-{token_hex(8)}.tar"


def upload_prefix(upload_uuid: UUID) -> str:
    """What the keys of all shards of an upload begin with."""
    return f"uploads/{upload_uuid}/"


def training_prefix(job_uuid: UUID) -> str:
    """What the keys of everything that a training keeps begin with."""
    return f"trainings/{job_uuid}/"


def weights_key(digest: str) -> str:
    """The blob of the weights with this SHA-256."""
    return f"models/{digest}"


class Blobs:
    """A store under one address; put together once for each process."""

    def __init__(self, url: str, min_free_bytes: int = 0) -> None:
        """Open the store.

        Args:
            url: `file:///folder` (made when missing) or `s3://bucket/prefix` and the like; keys of the latter come from
                the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...).
            min_free_bytes: For folders: what must stay free on the disk.
        Raises:
            ConfigError: The address cannot be understood.
        """
        self._folder = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
        self._min_free_bytes = min_free_bytes
        try:
            self._store: ObjectStore = LocalStore(self._folder, mkdir=True) if self._folder else from_url(url)
        except (BaseError, OSError, ValueError) as error:
            raise ConfigError(f"PAWSORT_BLOB_URL: expected file:///folder or s3://bucket/prefix; {error}") from error

    def check_room(self, n_bytes: int) -> None:
        """Raise DiskFull when `n_bytes` more would leave less than the minimum free. Only folders have a limit."""
        if self._folder is None:
            return
        free = shutil.disk_usage(self._folder).free
        if free - n_bytes < self._min_free_bytes:
            raise DiskFull(
                f"The disk has {free // 2**20} MiB left; {n_bytes / 2**20:.1f} MiB more would leave less than the"
                f" {self._min_free_bytes // 2**20} MiB that stay free (PAWSORT_MIN_FREE_BYTES)."
                " Delete jobs that are no longer needed, or make room, and send it again."
            )

    def put(self, key: str, data: bytes | BinaryIO) -> None:
        """Store a whole blob; nothing is visible under the key before it is complete."""
        self._store.put(key, data)

    def get(self, key: str) -> memoryview:
        """All bytes of a blob.

        Raises:
            BlobMissing: There is none under this key.
        """
        try:
            return memoryview(self._store.get(key).bytes())
        except FileNotFoundError as error:
            raise BlobMissing(f"The blob store has no {key}.") from error

    def get_range(self, key: str, offset: int, n_bytes: int) -> bytes:
        """`n_bytes` bytes of a blob from `offset` on.

        Raises:
            BlobMissing: There is none under this key.
        """
        if n_bytes == 0:
            return b""
        try:
            return bytes(self._store.get_range(key, start=offset, length=n_bytes))
        except FileNotFoundError as error:
            raise BlobMissing(f"The blob store has no {key}.") from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete blobs; those that are gone already are no error."""
        for key in keys:
            try:
                self._store.delete(key)
            except FileNotFoundError:
                continue

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        """Keys under a prefix, each with the moment it was written (seconds since 1970)."""
        for page in self._store.list(prefix.rstrip("/"), chunk_size=DELETE_SLICE):
            for item in page:
                yield item["path"], item["last_modified"].timestamp()

    def remove_folder(self, prefix: str) -> None:
        """Remove what an emptied prefix leaves behind in a local store: the folder itself."""
        if self._folder is not None:
            shutil.rmtree(self._folder / prefix, ignore_errors=True)

    def ping(self) -> None:
        """Raise ConfigError when the store does not answer."""
        try:
            next(iter(self._store.list("models", chunk_size=1)), None)
        except (BaseError, OSError) as error:
            raise ConfigError(f"The blob store at PAWSORT_BLOB_URL does not answer: {error}") from error
