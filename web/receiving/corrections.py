"""Reading a corrected folder as it streams in: the path and the hash of each file. No content is stored."""

import json
from collections.abc import Callable, Iterator

from core.base.config import Settings
from core.base.errors import Invalid
from core.formats.archives.entries import File
from core.formats.archives.reading import read_archive

READ_BYTES = 2**18
MAX_LINE_BYTES = 2**16
SHA256_BYTES = 32

Read = Callable[[int], bytes]


def hash_files(read: Read, settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Path and SHA-256 of each file in an archive, while it is received.

    Raises:
        ArchiveError, TooLarge: As `read_archive`.
    """
    digests: dict[str, bytes] = {}

    def find(path: str) -> File | None:
        return File(path, b"", 0) if path in digests else None

    items = read_archive(
        read, max_image_bytes=settings.max_image_bytes, max_upload_bytes=settings.max_upload_bytes, find_file=find
    )
    for item in items:
        if isinstance(item, File):
            sha256 = digests[item.repeats] if item.repeats else item.digest()
            digests[item.path] = sha256
            yield item.path, sha256


def read_list(read: Read) -> Iterator[tuple[str, bytes]]:
    """Path and SHA-256 from each line of a list.

    Raises:
        Invalid: A line is malformed; the message states which.
    """
    for number, line in enumerate(_lines(read), start=1):
        try:
            entry = json.loads(line)
            path, sha256 = entry["path"], bytes.fromhex(entry["sha256"])
        except (ValueError, TypeError, KeyError, RecursionError):
            path, sha256 = None, b""
        if not isinstance(path, str) or len(sha256) != SHA256_BYTES:
            raise Invalid(
                f'Line {number}: expected {{"path": "cat/a.jpg", "sha256": 64 hexadecimal digits}}; got something else.'
                " Nothing was written."
            )
        yield path, sha256


def _lines(read: Read) -> Iterator[bytes]:
    rest = b""
    while block := read(READ_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise Invalid(f"Expected at most {MAX_LINE_BYTES} bytes per line. Send one file per line.")
        yield from (line for line in lines if line.strip())
    if rest.strip():
        yield rest
