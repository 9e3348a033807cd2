"""Which files are archives, by their first bytes: those that the server unpacks, and those that nobody here can.

The server has the same table (core/formats/archives/kinds.py); a test compares them.
"""

import tarfile
import zipfile
from pathlib import Path

HEAD_BYTES = 40 * 2**10  # the mark of a disk image comes after its first 32 KiB
BLOCK = tarfile.BLOCKSIZE
MAX_PROGRAM_BYTES = 4 * 2**20

SUPPORTED_MARKS = (
    (0, b"PK\x03\x04"),
    (0, b"PK\x05\x06"),
    (0, b"PK\x06\x06"),
    (0, b"PK00PK\x03\x04"),
    (0, b"PK\x07\x08PK\x03\x04"),
    (0, b"\x1f\x8b"),
    (0, b"BZh"),
    (0, b"\xfd7zXZ\0"),
    (0, b"\x28\xb5\x2f\xfd"),
    *((0, b"%c\x2a\x4d\x18" % number) for number in range(0x50, 0x60)),
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
SELF_EXTRACTING_MARKS = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "RAR"}


def is_archive(file: Path) -> bool:
    """Return whether the server unpacks a file, whatever its name."""
    head = _read(file, HEAD_BYTES)
    if any(head.startswith(mark, at) for at, mark in SUPPORTED_MARKS) or _is_tar(head):
        return True
    return head.startswith(PROGRAM_MARKS) and zipfile.is_zipfile(file)


def find_unsupported(file: Path) -> str | None:
    """Return the name of the kind if a file is an archive that the server does not unpack."""
    head = _read(file, HEAD_BYTES)
    if not head.startswith(PROGRAM_MARKS):
        return next((name for at, mark, name in OTHER_MARKS if head.startswith(mark, at)), None)
    data = _read(file, MAX_PROGRAM_BYTES)
    return next((name for mark, name in SELF_EXTRACTING_MARKS.items() if mark in data), None)


def _read(file: Path, n_bytes: int) -> bytes:
    """Return the first bytes of a regular file; nothing of anything else, and of what cannot be read."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(n_bytes)
    except OSError:
        return b""


def _is_tar(head: bytes) -> bool:
    block = head[:BLOCK]
    if len(block) < BLOCK or not block.strip(b"\0"):
        return len(block) == BLOCK and not head.strip(b"\0")
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return block[257:262] == b"ustar"
    return True
