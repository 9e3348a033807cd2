"""Stream a ZIP of uncompressed files, with size and checksum before each file.

Libraries that stream a ZIP write the sizes after the files. Most programs that unpack a stream cannot find the end of
an uncompressed file then. The central directory is collected in a temporary file.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (layout), 4.4 (fields), 4.5.3 (sizes and places over 4 GiB).
"""

import struct
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_EXTRA_64 = struct.Struct("<2HQ")
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFF_FFFF
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
        made_at: The time stamp of all files.
    """

    def __init__(self, made_at: datetime) -> None:
        self._date = (made_at.year - 1980) << 9 | made_at.month << 5 | made_at.day
        self._time = made_at.hour << 11 | made_at.minute << 5 | made_at.second // 2
        self._directory = tempfile.SpooledTemporaryFile(max_size=_DIRECTORY_IN_MEMORY)  # noqa: SIM115
        self._position = 0
        self._n_files = 0

    def close(self) -> None:
        """Delete the temporary file, also if the ZIP was not finished."""
        self._directory.close()

    def add(self, name: str, data: bytes) -> Iterator[bytes]:
        """Add one file; yields its blocks."""
        yield self._begin(name, len(data), zlib.crc32(data))
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

    def _begin(self, name: str, size: int, crc: int) -> bytes:
        raw = name.encode()
        about = (_IS_UTF8, _STORED, self._time, self._date, crc, size, size, len(raw))
        self._directory.write(self._entry(about, raw))
        local = _LOCAL.pack(b"PK\3\4", _VERSION, *about, 0) + raw
        self._position += len(local) + size
        self._n_files += 1
        return local

    def _entry(self, about: tuple[int, ...], raw: bytes) -> bytes:
        """The entry of the central directory for the file that starts here."""
        is_far = self._position >= _MAX_32
        extra = _EXTRA_64.pack(1, 8, self._position) if is_far else b""
        needed = _VERSION_64 if is_far else _VERSION
        place = min(self._position, _MAX_32)
        fixed = _CENTRAL.pack(b"PK\1\2", _UNIX | _VERSION_64, needed, *about, len(extra), 0, 0, 0, _MODE, place)
        return fixed + raw + extra


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block
