"""The manifest of a sorted ZIP: see core/review/sort_manifest.py."""

import json
import tempfile
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from web.exports.label_preference import By


class ManifestWriter:
    """Collects the lines of a manifest on disk.

    Args:
        exported_at: A moment before the labels were read, by the clock that dates labels.
    """

    def __init__(self, job: UUID, exported_at: datetime, by: By) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self._write({"exported_at": exported_at.isoformat(), "job": str(job), "by": by})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, sha256: bytes, label: str) -> None:
        """Note the label whose folder a picture lies in."""
        self._write({"sha256": sha256.hex(), "was": label})

    def _write(self, line: dict[str, Any]) -> None:
        self.file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
