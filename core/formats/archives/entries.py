"""What comes out of an archive: files, and entries that were skipped."""

import hashlib
from dataclasses import dataclass, field
from typing import TypeAlias

from core.base.errors import Invalid
from core.formats.archives.collecting import Content, pieces_of


class ArchiveError(Invalid):
    """An archive cannot be read on; the whole files before the fault have been handed out."""


class OtherArchive(ArchiveError):
    """An archive of a kind that is not supported; the sentence names it."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of an archive.

    Attributes:
        path: Its path in the archive.
        data: Its content; None when it is over the limit for one file.
        n_bytes: Its true size.
        repeats: Of a hard link, the path of the file that it repeats; else empty.
        modified_at: When it was last changed, in seconds since 1970; None if that is not known.
    """

    path: str
    data: Content | None
    n_bytes: int
    repeats: str = ""
    modified_at: int | None = field(default=None, compare=False)

    def digest(self) -> bytes:
        """The SHA-256 of its content; of nothing, if it is over the limit."""
        digest = hashlib.sha256()
        for piece in pieces_of(self.data or b""):
            digest.update(piece)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """An entry that is not taken, and why, as a noun: "a symbolic link"."""

    path: str
    reason: str


Item: TypeAlias = File | SkippedEntry
