"""Manifests of sorted folders: the label that each picture had when its folder was made, and when that was.

A line with `exported_at` begins a list. Each line after it names a content and its label at that moment:

    {"exported_at": "2026-11-30T09:12:21.123+00:00", "job": "…", "by": "final"}
    {"sha256": "…", "was": "cat"}

A folder that is sorted again gets another list below the first one. A manifest comes from outside: it decides which
pictures count as moved, and nothing else.
"""

from dataclasses import dataclass, field
from datetime import datetime

NAME = "pawsort-manifest.jsonl"
SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """The line that begins a list: when the folder was made."""

    exported_at: datetime


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """The label of one content when the folder was made."""

    sha256: bytes
    was: str


ManifestLine = ManifestHead | ManifestEntry


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a content was when its folder was made."""

    was: str
    exported_at: datetime


@dataclass
class SortManifest:
    """What was read of a manifest.

    Attributes:
        exported_at: When its newest list was made; None before there is any.
    """

    exported_at: datetime | None = None
    _origins: dict[bytes, Origin] = field(default_factory=dict)

    def add(self, line: ManifestLine) -> None:
        """Add the next line; what is said last of a content counts."""
        if isinstance(line, ManifestHead):
            self.exported_at = line.exported_at
        elif self.exported_at is not None:
            self._origins[line.sha256] = Origin(line.was, self.exported_at)

    def find(self, sha256: bytes) -> Origin | None:
        """Where a content was; None if the manifest does not name it."""
        return self._origins.get(sha256)


def parse_line(entry: object) -> ManifestLine:
    """A line of a manifest from its JSON.

    Raises:
        ValueError: It is none.
    """
    if isinstance(entry, dict):
        exported_at, sha256, was = (entry.get(name) for name in ("exported_at", "sha256", "was"))
        if isinstance(exported_at, str) and (moment := datetime.fromisoformat(exported_at)).tzinfo is not None:
            return ManifestHead(moment)
        if isinstance(sha256, str) and isinstance(was, str) and len(content := bytes.fromhex(sha256)) == SHA256_BYTES:
            return ManifestEntry(content, was)
    raise ValueError("expected exported_at with a time zone, or sha256 and was")
