"""Stream a ZIP of uncompressed files, with size and checksum before each file.

Libraries that stream a ZIP write the sizes after the files. Most programs that unpack a stream cannot find the end of
an uncompressed file then. The central directory is collected in a temporary file.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (layout), 4.4 (fields), 4.5.3 (sizes and places over 4 GiB); Info-ZIP,
proginfo/extrafld.txt, "UT" (times since 1970).
"""

import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from typing import IO

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_EXTRA_64 = struct.Struct("<2HQ")
_EXTRA_TIME = struct.Struct("<2HBL")
_MAX_16, _MAX_32, _MAX_SIGNED_32 = 0xFFFF, 0xFFFF_FFFF, 0x7FFF_FFFF
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_IS_UTF8 = 1 << 11
_STORED = 0
_DIRECTORY_IN_MEMORY = 2**20
_BLOCK = 2**18


class ZipWriter:
    """One ZIP file. Names must be safe and unique: see `web.exports.names`.

    Args:
        made_at: The date of files without one of their own, in seconds since 1970.
    """

    def __init__(self, made_at: int) -> None:
        self._made_at = made_at
        self._directory = tempfile.SpooledTemporaryFile(max_size=_DIRECTORY_IN_MEMORY)  # noqa: SIM115
        self._position = 0
        self._n_files = 0

    def close(self) -> None:
        """Delete the temporary file, also if the ZIP was not finished."""
        self._directory.close()

    def add(self, name: str, data: bytes, modified_at: int | None = None) -> Iterator[bytes]:
        """Add one file; yields its blocks."""
        yield self._begin(name, len(data), zlib.crc32(data), modified_at)
        yield data

    def add_written(self, name: str, file: IO[bytes]) -> Iterator[bytes]:
        """Add one file from disk, for contents that may be long; yields its blocks."""
        crc = size = 0
        for block in _blocks(file):
            crc, size = zlib.crc32(block, crc), size + len(block)
        yield self._begin(name, size, crc)
        yield from _blocks(file)

    def finish(self) -> Iterator[bytes]:
        """Yield the central directory, which ends a ZIP."""
        start, size = self._position, self._directory.tell()
        yield from _blocks(self._directory)
        n_files = self._n_files
        if n_files >= _MAX_16 or start + size >= _MAX_32:
            version = _UNIX | _VERSION_64
            yield _END_64.pack(b"PK\6\6", 44, version, _VERSION_64, 0, 0, n_files, n_files, size, start)
            yield _LOCATOR_64.pack(b"PK\6\7", 0, start + size, 1)
        n_shown = min(n_files, _MAX_16)
        yield _END.pack(b"PK\5\6", 0, 0, n_shown, n_shown, min(size, _MAX_32), min(start, _MAX_32), 0)

    def _begin(self, name: str, size: int, crc: int, modified_at: int | None = None) -> bytes:
        raw = name.encode()
        moment = self._made_at if modified_at is None else modified_at
        about = (_IS_UTF8, _STORED, *_local_time(moment), crc, size, size, len(raw))
        times = _EXTRA_TIME.pack(0x5455, 5, 1, moment) if moment < _MAX_SIGNED_32 else b""
        self._directory.write(self._entry(about, raw, times))
        local = _LOCAL.pack(b"PK\3\4", _VERSION, *about, len(times)) + raw + times
        self._position += len(local) + size
        self._n_files += 1
        return local

    def _entry(self, about: tuple[int, ...], raw: bytes, times: bytes) -> bytes:
        """The entry of the central directory for the file that starts here."""
        is_far = self._position >= _MAX_32
        extra = times + (_EXTRA_64.pack(1, 8, self._position) if is_far else b"")
        needed = _VERSION_64 if is_far else _VERSION
        place = min(self._position, _MAX_32)
        fixed = _CENTRAL.pack(b"PK\1\2", _UNIX | _VERSION_64, needed, *about, len(extra), 0, 0, 0, _MODE, place)
        return fixed + raw + extra


def _local_time(moment: int) -> tuple[int, int]:
    """The time and the day of a header: in local time, from 1980 to 2107."""
    local = time.localtime(moment)
    if not 1980 <= local.tm_year <= 2107:
        return 0, 1 << 5 | 1
    return (
        local.tm_hour << 11 | local.tm_min << 5 | local.tm_sec // 2,
        (local.tm_year - 1980) << 9 | local.tm_mon << 5 | local.tm_mday,
    )


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block
