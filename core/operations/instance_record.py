"""instance.json: how the command line and Celery's tools find the instance that runs on a data directory.

It imports nothing that is not part of Python, since the supervisor uses it.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.base.config import Settings

FILE_NAME = "instance.json"
SERVERS = ("redis_url", "database_url", "blob_url")


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """Address and owner's token of a running instance, and the addresses of its servers. Readable by its owner only."""

    address: str
    token: str = field(repr=False)
    pid: int
    redis_url: str = field(repr=False)  # with the password of a server
    database_url: str = field(repr=False)
    blob_url: str = field(repr=False)

    def write(self, data_dir: Path) -> None:
        """Write it to the data directory, completely or not at all."""
        partial = data_dir / f"{FILE_NAME}.part"
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
        partial.replace(data_dir / FILE_NAME)


def read_record(data_dir: Path) -> InstanceRecord | None:
    """Read the file; None if there is none, or another version wrote it."""
    try:
        return InstanceRecord(**json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def remove_record(data_dir: Path) -> None:
    """Remove the file of an instance that has ended."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def find_servers(settings: "Settings") -> "Settings":
    """Return the settings with the servers of the instance that runs on the data directory, where none are set."""
    record = None if settings.redis_url else read_record(settings.data_dir)
    if record is None:
        return settings
    addresses = {name: getattr(record, name) for name in SERVERS if not getattr(settings, name)}
    return settings.model_copy(update=addresses)
