"""Which kind of archive some bytes are, by the bytes alone: names and endings are often wrong.

The client has the same table (client/pawsort/uploads/archive_kinds.py); a test compares them.
"""

import re
from enum import StrEnum

from core.formats.tar_headers import BLOCK, TarError, check_header

HEAD_BYTES = 40 * 2**10  # the mark of a disk image comes after its first 32 KiB
SUPPORTED = "a TAR, a ZIP, or a TAR compressed with gzip, bzip2, xz or Zstandard"


class Kind(StrEnum):
    """A kind of archive that is read."""

    TAR = "TAR"
    ZIP = "ZIP"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "Zstandard"


READ_MARKS = (
    (0, b"PK\x03\x04", Kind.ZIP),
    (0, b"PK\x05\x06", Kind.ZIP),
    (0, b"PK\x06\x06", Kind.ZIP),  # an empty one of 64 bits
    (0, b"PK00PK\x03\x04", Kind.ZIP),  # a zip that might have been divided into parts
    (0, b"PK\x07\x08PK\x03\x04", Kind.ZIP),
    (0, b"\x1f\x8b", Kind.GZIP),
    (0, b"BZh", Kind.BZIP2),
    (0, b"\xfd7zXZ\0", Kind.XZ),
    (0, b"\x28\xb5\x2f\xfd", Kind.ZSTD),
    *((0, b"%c\x2a\x4d\x18" % number, Kind.ZSTD) for number in range(0x50, 0x60)),  # a frame to be skipped comes first
)
OTHER_MARKS = (
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"RE~^", "RAR"),
    (0, b"]\0\0", "LZMA"),
    (0, b"LZIP", "lzip"),
    (0, b"\x04\x22\x4d\x18", "LZ4"),
    (0, b"\x89LZO\0\r\n\x1a\n", "lzop"),
    (0, b"\x1f\x9d", "compress (.Z)"),
    (0, b"\x1f\xa0", "LZH"),
    (2, b"-lh", "LHA"),
    (2, b"-lz", "LHA"),
    (0, b"\x60\xea", "ARJ"),
    (7, b"**ACE**", "ACE"),
    (0, b"ZOO ", "ZOO"),
    (0, b"MSCF", "CAB"),
    (0, b"ISc(", "CAB"),
    (0, b"StuffIt", "StuffIt"),
    (0, b"SIT!", "StuffIt"),
    (0, b"SITD", "StuffIt"),
    (0, b"xar!", "XAR"),
    (0, b"07070", "CPIO"),
    (0, b"\xc7\x71", "CPIO"),
    (0, b"!<arch>\n", "AR"),
    (0, b"\xed\xab\xee\xdb", "RPM"),
    (0, b"hsqs", "SquashFS"),
    (0, b"MSWIM\0\0\0", "WIM"),
    (0, b"zPQ", "ZPAQ"),
    (0, b"7kSt", "ZPAQ"),
    (0, b"encrcdsa", "DMG"),
    (0x8001, b"CD001", "ISO"),
)
# The beginning of a self-extracting archive: a program of Windows or Linux, or a script.
PROGRAM_MARKS = (b"MZ", b"\x7fELF", b"#!")
_BEHIND_PROGRAM = re.compile(rb"PK\x03\x04[\x0a-\x3f]\0|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07")


def find_kind(head: bytes) -> Kind | None:
    """Find the kind of an archive that is read, from its first `HEAD_BYTES` bytes."""
    if kind := next((kind for at, mark, kind in READ_MARKS if head.startswith(mark, at)), None):
        return kind
    return Kind.TAR if is_tar(head) else None


def find_other(head: bytes) -> str | None:
    """Find the name of a kind of archive that is not read."""
    return next((name for at, mark, name in OTHER_MARKS if head.startswith(mark, at)), None)


def is_tar(head: bytes) -> bool:
    """Return whether a tar begins: with a header, or with the zeros of an empty one."""
    block = head[:BLOCK]
    if len(block) < BLOCK:
        return False
    if not block.strip(b"\0"):
        return not head.strip(b"\0")
    try:
        check_header(block, 0)
    except TarError:
        return block[257:262] == b"ustar"
    return True


def is_program(head: bytes) -> bool:
    """Return whether a program begins, which may have an archive behind it."""
    return head.startswith(PROGRAM_MARKS)


def find_behind_program(data: bytes) -> int | None:
    """Find where the archive in a self-extracting one may begin."""
    found = _BEHIND_PROGRAM.search(data)
    return found.start() if found else None
