"""Reading a corrected folder as it streams in: the path and the hash of each file. No content is stored.

The lines of the folder's manifest (core/review/sort_manifest.py) are handed on between the files.
"""

import json
from collections.abc import Callable, Iterable, Iterator

from core.base.config import Settings
from core.base.errors import Invalid
from core.formats.archives.collecting import pieces_of
from core.formats.archives.entries import File
from core.formats.archives.reading import read_archive
from core.review.corrected_folders import FolderItem
from core.review.sort_manifest import NAME, SHA256_BYTES, ManifestLine, parse_line

READ_BYTES = 2**18
MAX_LINE_BYTES = 2**16

Read = Callable[[int], bytes]


def hash_files(read: Read, settings: Settings) -> Iterator[FolderItem]:
    """Path and SHA-256 of each file in an archive, while it is received.

    Raises:
        ArchiveError, TooLarge: As `read_archive`.
        Invalid: The manifest in it is malformed, or too large.
    """
    digests: dict[str, bytes] = {}

    def find(path: str) -> File | None:
        return File(path, b"", 0) if path in digests else None

    items = read_archive(
        read, max_image_bytes=settings.max_image_bytes, max_upload_bytes=settings.max_upload_bytes, find_file=find
    )
    for item in items:
        if not isinstance(item, File):
            continue
        if item.path.rpartition("/")[2] == NAME:
            if item.data is None:
                raise Invalid(
                    f"{NAME} is larger than a file in an archive may be. Nothing was written. Unpack the archive and"
                    " import the folder instead: there, its size does not matter."
                )
            yield from _read_manifest(pieces_of(item.data))
            continue
        sha256 = digests[item.repeats] if item.repeats else item.digest()
        digests[item.path] = sha256
        yield item.path, sha256


def _read_manifest(pieces: Iterable[bytes | bytearray]) -> Iterator[ManifestLine]:
    for number, line in enumerate(_lines(pieces), start=1):
        try:
            yield parse_line(json.loads(line))
        except (ValueError, RecursionError):
            raise Invalid(
                f"{NAME} is damaged at line {number}. Nothing was written. Delete it from the folder to compare the"
                " folder with the labels of today instead."
            ) from None


def read_list(read: Read) -> Iterator[FolderItem]:
    """Path and SHA-256 from each line of a list, and the lines of a manifest.

    Raises:
        Invalid: A line is malformed; the message states which.
    """
    for number, line in enumerate(_lines(iter(lambda: read(READ_BYTES), b"")), start=1):
        try:
            entry = json.loads(line)
            yield _file_of(entry) if "path" in entry else parse_line(entry)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Invalid(
                f'Line {number}: expected {{"path": "cat/a.jpg", "sha256": 64 hexadecimal digits}}, or a line of a'
                f" {NAME}; got something else. Nothing was written."
            ) from None


def _file_of(entry: dict[str, str]) -> tuple[str, bytes]:
    path, sha256 = entry["path"], bytes.fromhex(entry["sha256"])
    if not isinstance(path, str) or len(sha256) != SHA256_BYTES:
        raise ValueError("expected a path and a SHA-256")
    return path, sha256


def _lines(pieces: Iterable[bytes | bytearray]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise Invalid(f"Expected at most {MAX_LINE_BYTES} bytes per line. Send one file per line.")
        yield from (line for line in lines if line.strip())
    if rest.strip():
        yield rest
