"""A folder of backups: a folder for each one, and the blobs of all, each stored once.

20261130T030000Z/pawsort.db      the snapshot of the database
20261130T030000Z/manifest.json   written last: without it the backup is incomplete
blobs/<key>                      blobs are never changed, so later backups share them
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from core.base.errors import Conflict, Invalid, NotFound
from core.storage.blobs import Blobs

FORMAT = 1
NAME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class StoredBlob:
    """Digest and size of a blob of a backup."""

    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made_at: When its snapshot was taken, in UTC.
        schema: The revision of the database's schema.
        database: The snapshot.
        rows: How many rows each table has.
        blobs: By key.
    """

    made_at: str
    schema: str
    database: StoredBlob
    rows: dict[str, int]
    blobs: dict[str, StoredBlob] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def n_bytes(self) -> int:
        """The size of everything."""
        return self.database.n_bytes + sum(blob.n_bytes for blob in self.blobs.values())

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, document: str) -> Self:
        """Read a manifest.

        Raises:
            Invalid: It is none, or of a newer version.
        """
        try:
            values = json.loads(document)
            if values["format"] != FORMAT:
                raise Invalid(f"This backup has format {values['format']}, expected {FORMAT}. Use a newer version.")
            blobs = {key: StoredBlob(**blob) for key, blob in values.pop("blobs").items()}
            return cls(**values | {"database": StoredBlob(**values["database"]), "blobs": blobs})
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(f"The backup's manifest cannot be read ({error}). Choose another backup.") from error


class BackupFolder:
    """A folder that holds backups of one installation."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other backups out of the folder, which is created if it is missing.

        Raises:
            Conflict: A backup into it is running.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise Conflict(f"Another backup into {self.path} is running. Wait for it.") from error
        finally:
            os.close(lock)

    @property
    def blobs(self) -> Blobs:
        """The blobs of all backups."""
        return Blobs((self.path / "blobs").absolute().as_uri())

    def names(self) -> list[str]:
        """The complete backups, oldest first."""
        return sorted(manifest.parent.name for manifest in self.path.glob("*/manifest.json"))

    def database(self, name: str) -> Path:
        """The snapshot of a backup."""
        return self.path / name / "pawsort.db"

    def read(self, name: str | None = None) -> tuple[str, Manifest]:
        """A backup, the newest by default, with its name.

        Raises:
            NotFound: There is none.
            Invalid: Its manifest cannot be read.
        """
        names = self.names()
        if not names:
            raise NotFound(f"{self.path} holds no complete backup. `pawsort backup {self.path}` makes one.")
        if name is not None and name not in names:
            raise NotFound(f"{self.path} holds no backup {name}. There are: {', '.join(names)}.")
        chosen = name or names[-1]
        return chosen, Manifest.from_json((self.path / chosen / "manifest.json").read_text("utf-8"))

    def begin(self, now: datetime) -> str:
        """Create the folder of a new backup and remove incomplete ones. Returns its name."""
        for left in self.path.glob("*/pawsort.db"):
            if not (left.parent / "manifest.json").exists():
                shutil.rmtree(left.parent)
        name = now.astimezone(UTC).strftime(NAME)
        (self.path / name).mkdir(mode=0o700)
        return name

    def complete(self, name: str, manifest: Manifest) -> None:
        """Write the manifest of a backup, which makes it one."""
        partial = self.path / name / "manifest.json.part"
        with partial.open("w", encoding="utf-8") as file:
            file.write(manifest.to_json())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path / name / "manifest.json")

    def delete(self, names: list[str]) -> None:
        """Delete backups, and the blobs that no other one holds."""
        for name in names:
            (self.path / name / "manifest.json").unlink()  # first: half of a backup is none
            shutil.rmtree(self.path / name)
        held = {key for name in self.names() for key in self.read(name)[1].blobs}
        blobs = self.blobs
        blobs.delete([key for key, _ in blobs.list("") if key not in held])


def digest_file(path: Path) -> StoredBlob:
    """Digest and size of a file."""
    with path.open("rb") as file:
        return StoredBlob(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
