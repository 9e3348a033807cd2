"""The blob store: bytes under keys, written once, in a local folder or in S3, GCS or Azure (obstore).

Keys: `uploads/<upload uuid>/<seq>-<random>.tar` for shards (`.small`: what stays of discarded ones; `.npz`: features),
`thumbnails/<upload uuid>/…` for those that are kept, `models/<sha256>` for weights, `trainings/<job uuid>/…` for the
state that trainings resume from.
"""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from core.base.errors import BlobMissing, ConfigError, DiskFull, Unavailable
from core.storage import buckets
from core.storage.nameless_files import NamelessFile, open_nameless
from core.storage.store_errors import first_words, is_full_folder, names_no_bucket, refusal

THUMBNAILS = "thumbnails/"
DELETE_SLICE = 500
PART_BYTES = 8 * 2**20  # what is larger goes in parts, one after the other, so that each is there within its time
SPOOL_BYTES = 8 * 2**20  # how much of a blob for a server is held in memory while it is written


def shard_key(upload_uuid: UUID, seq: int) -> str:
    """A fresh key for one shard: two senders of the same shard never write to the same blob."""
    return f"{upload_prefix(upload_uuid)}{seq:08d}-{token_hex(8)}.tar"


def thumbnails_key(upload_uuid: UUID, seq: int) -> str:
    """A fresh key for the previews of a shard whose originals are discarded."""
    return f"{upload_prefix(upload_uuid)}{seq:08d}-{token_hex(8)}.small"


def features_key(of_shard: str) -> str:
    """A fresh key for features of the shard with this key; it goes with the upload."""
    return f"{of_shard.rpartition('-')[0]}-{token_hex(8)}.npz"


def upload_prefix(upload_uuid: UUID) -> str:
    """The prefix of all keys of an upload."""
    return f"uploads/{upload_uuid}/"


def thumbnails_prefix(upload_uuid: UUID) -> str:
    """The prefix of the kept thumbnails of an upload."""
    return f"{THUMBNAILS}{upload_uuid}/"


def kept_thumbnail_key(upload_uuid: UUID, name: str) -> str:
    """The blob of a kept thumbnail; it can be made again at any time."""
    return f"{thumbnails_prefix(upload_uuid)}{name}.jpg"


def training_prefix(job_uuid: UUID) -> str:
    """The prefix of all keys of a training."""
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
            self._store = _open(url, self._folder, buckets.READING)
            self._writing = _open(url, self._folder, buckets.WRITING)  # the same one, with more time
        except (BaseError, OSError, ValueError) as error:
            if self._folder is not None:
                raise ConfigError(f"PAWSORT_BLOB_URL: {self._folder} cannot be made or opened: {error}") from error
            raise ConfigError(
                f"PAWSORT_BLOB_URL: expected file:///folder or s3://bucket/prefix; {first_words(error)}"
            ) from error

    def find_room(self) -> int | None:
        """How many bytes may still come; None where only the store itself knows (everything but folders)."""
        if self._folder is None:
            return None
        return max(shutil.disk_usage(self._folder).free - self._min_free_bytes, 0)

    def check_room(self, n_bytes: int) -> None:
        """Raise DiskFull when `n_bytes` more would leave less than the minimum free. Only folders have a limit."""
        free = self.free_bytes()
        if free is None:
            return
        if free - n_bytes < self._min_free_bytes:
            raise DiskFull(
                f"The server's disk is almost full: it has {free // 2**20} MiB left, and {n_bytes / 2**20:.1f} MiB more"
                f" would leave less than the {self._min_free_bytes // 2**20} MiB that stay free. Delete old jobs, or"
                " ask the person who runs this server."
            )

    def free_bytes(self) -> int | None:
        """Room left on the disk of a folder; None for stores that do not say."""
        return None if self._folder is None else shutil.disk_usage(self._folder).free

    def open_file(self) -> BinaryIO:
        """A file to write a blob to, before `put` stores it: in a folder without a copy, if its disk can do that.

        Raises:
            DiskFull: The disk has no room for another file.
        """
        with self._sentences():
            nameless = None if self._folder is None else open_nameless(self._folder)
        return nameless or cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))

    def put(self, key: str, data: bytes | BinaryIO) -> None:
        """Store a whole blob; nothing is visible under the key before it is complete.

        Args:
            key: A fresh one, if `data` is a file of `open_file`.
            data: Its bytes, or a file that is read from where it is.
        """
        with self._sentences():
            if self._folder is not None and isinstance(data, NamelessFile) and data.give_name(self._folder / key):
                return
            self._writing.put(key, data, chunk_size=PART_BYTES, max_concurrency=1)

    def get(self, key: str) -> memoryview:
        """All bytes of a blob.

        Raises:
            BlobMissing: There is none under this key.
        """
        with self._sentences(key):
            return memoryview(self._store.get(key).bytes())

    def get_range(self, key: str, offset: int, n_bytes: int) -> bytes:
        """`n_bytes` bytes of a blob from `offset` on.

        Raises:
            BlobMissing: There is none under this key.
        """
        if n_bytes == 0:
            return b""
        with self._sentences(key):
            return bytes(self._store.get_range(key, start=offset, length=n_bytes))

    def read_into(self, key: str, offset: int, room: memoryview) -> None:
        """Fill a view with bytes of a blob from `offset` on, a piece at a time.

        Raises:
            BlobMissing: There is none under this key.
        """
        for start in range(0, len(room), PART_BYTES):
            piece = room[start : start + PART_BYTES]
            with self._sentences(key):
                piece[:] = self._store.get_range(key, start=offset + start, length=len(piece))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete blobs; those that are gone already are no error."""
        for key in keys:
            with suppress(FileNotFoundError), self._sentences():
                self._store.delete(key)

    def list(self, prefix: str) -> Iterator[tuple[str, float]]:
        """Keys under a prefix, each with the moment it was written (seconds since 1970)."""
        with self._sentences():
            for page in self._store.list(prefix.rstrip("/"), chunk_size=DELETE_SLICE):
                for item in page:
                    yield item["path"], item["last_modified"].timestamp()

    def remove_all(self, prefix: str) -> None:
        """Delete every blob under a prefix, and in a local store the folder itself."""
        self.delete([key for key, _ in self.list(prefix)])
        if self._folder is not None:
            shutil.rmtree(self._folder / prefix, ignore_errors=True)

    def ping(self) -> None:
        """See that the store answers.

        Raises:
            Refused: It does not let us in, or has no such bucket; the sentence names the setting.
            Unavailable: It does not answer.
        """
        try:
            with self._sentences():
                next(iter(self._store.list("models", chunk_size=1)), None)
        except (BaseError, OSError) as error:
            raise Unavailable(f"The blob store at PAWSORT_BLOB_URL does not answer: {error}") from error

    @contextmanager
    def _sentences(self, key: str | None = None) -> Iterator[None]:
        """Turn what a server answers into our errors; a folder's errors stay those of the operating system.

        Args:
            key: The blob that is read; without it, one that is missing is FileNotFoundError.
        """
        try:
            yield
        except FileNotFoundError as error:
            if self._folder is None and names_no_bucket(error):
                raise refusal(error) from error
            if key is None:
                raise
            raise BlobMissing(f"The blob store has no {key}.") from error
        except (BaseError, OSError) as error:
            if self._folder is not None and is_full_folder(error):
                raise DiskFull(
                    "The server's disk is full, or its quota or number of files is used up. Delete old jobs, or ask the"
                    " person who runs this server."
                ) from error
            if self._folder is not None or isinstance(error, OSError):
                raise
            raise refusal(error) from error


def _open(url: str, folder: Path | None, limits: buckets.Limits) -> ObjectStore:
    if folder is not None:
        return LocalStore(folder, mkdir=True)
    return buckets.open_bucket(buckets.BucketPrefix.parse(url), limits)
