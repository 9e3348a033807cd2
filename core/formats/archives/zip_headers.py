"""Walking a zip front to back: local headers as they come, and the directory at its end for what only it has.

Own code rather than `zipfile` (which must seek) or `stream-unzip` (which gives up the whole zip over one encrypted
file): here a fault costs one entry, as long as its end can be found.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (layout), 4.4 (fields), 4.5 (extra fields), 4.6.9 (Unicode path);
Info-ZIP, proginfo/extrafld.txt, "UT" (times since 1970).
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from core.base.errors import Invalid
from core.formats.archives.names import NameDecoder, decode_path
from core.formats.tar import Source
from core.formats.tar_headers import clean_path

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
DIRECTORY = (CENTRAL, END, b"PK\x06\x06", b"PK\x06\x08")
STORED, DEFLATED = 0, 8
_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}

_LOCAL_FIELDS = struct.Struct("<HHHHHLLLHH")
CENTRAL_FIELDS = struct.Struct("<6H3L5HLL")
IS_UTF8 = 2048
_ENCRYPTED, _HAS_DESCRIPTOR = 1, 8
_EXTRA_64, _EXTRA_PATH, _EXTRA_TIMES = 1, 0x7075, 0x5455
_IN_EXTRA_64 = 0xFFFF_FFFF
_MADE_ON_UNIX = (3, 19)  # 19: macOS
_FILE_TYPE, _LINK = 0o170000, 0o120000
_LOCAL_HEADER = re.compile(re.escape(LOCAL) + rb"(.{%d})" % _LOCAL_FIELDS.size, re.DOTALL)
_PIECE_BYTES = 2**20
_MAX_HEADER_BYTES = 2**17  # with the longest name
_DRIVE = re.compile(r"[A-Za-z]:/")


class ZipError(Invalid):
    """The bytes are not a whole, well-formed zip, or the next entry cannot be found."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One entry's local header.

    Attributes:
        path: Components divided by "/".
        refusal: Why the entry cannot be taken, or empty.
        content_refusal: The same, for its content alone.
        is_folder: A directory.
        offset: Where the header is; the directory repeats it.
        method: How the content is compressed.
        crc: CRC-32 of the content, unless `has_descriptor`.
        n_packed: Bytes of the compressed content; None when only a descriptor behind it has the size.
        has_descriptor: CRC and sizes follow the content.
        modified_at: When the file was last changed, in seconds since 1970; None if the header does not say.
    """

    path: str
    refusal: str
    content_refusal: str
    is_folder: bool
    offset: int
    method: int
    crc: int
    n_packed: int | None
    has_descriptor: bool
    modified_at: int | None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """One record of the directory.

    Attributes:
        name: Its path, as bytes.
        flags: As in the local header.
        offset: Where its local header is, counted from the zip's beginning.
        crc: CRC-32 of the content.
        n_packed: Bytes of the compressed content.
        is_link: A symbolic link.
        extras: Extra fields.
    """

    name: bytes
    flags: int
    offset: int
    crc: int
    n_packed: int
    is_link: bool
    extras: dict[int, bytes]


def read_zip_members(source: Source, names: NameDecoder) -> Iterator[ZipMember]:
    """Walk a zip's local headers up to its directory.

    The caller reads each member's content before it asks for the next.

    Raises:
        ZipError: The zip ends too early, or something else is where an entry should begin.
    """
    while True:
        offset = source.position
        signature = bytes(source.take(len(LOCAL)))
        if signature in DIRECTORY:
            source.unread(signature)
            return
        if len(signature) < len(LOCAL):
            raise zip_cut_off()
        if signature != LOCAL:
            raise ZipError(f"The zip is damaged at byte {offset}: no entry begins there. Pack it again.")
        yield read_local_header(source, offset, names)


def read_link_offsets(source: Source) -> Iterator[int]:
    """Walk the directory; name the offsets of the entries that are symbolic links.

    A directory that is cut off ends the walk without an error: every entry came before it.
    """
    while bytes(source.take(len(CENTRAL))) == CENTRAL:
        head = source.take(CENTRAL_FIELDS.size)
        if len(head) < CENTRAL_FIELDS.size:
            return
        made_by, *_, n_name, n_extra, n_comment, _disk, _internal, mode, offset = CENTRAL_FIELDS.unpack(head)
        source.take(n_name + n_extra + n_comment)
        if made_by >> 8 in _MADE_ON_UNIX and (mode >> 16) & _FILE_TYPE == _LINK:
            yield offset


def zip_cut_off() -> ZipError:
    """The error of a zip that ends too early."""
    return ZipError("The zip is incomplete. Upload it again.")


def parse_directory_entry(head: bytes, read: Callable[[int], bytes]) -> DirectoryEntry:
    """Put a record of the directory together.

    Args:
        head: Its fixed part, without the signature.
        read: Returns the next bytes, fewer only at the end.
    """
    made_by, _, flags, _, _, _, crc, n_packed, n_bytes, n_name, n_extra, n_comment, _, _, mode, offset = (
        CENTRAL_FIELDS.unpack(head)
    )
    name = read(n_name)
    extras = _parse_extras(read(n_extra))
    read(n_comment)
    large = [extras.get(_EXTRA_64, b"")[at : at + 8] for at in range(0, 24, 8)]
    if n_bytes == _IN_EXTRA_64:
        large.pop(0)
    n_packed = _from_64(large.pop(0), n_packed) if n_packed == _IN_EXTRA_64 else n_packed
    offset = _from_64(large.pop(0), offset) if offset == _IN_EXTRA_64 else offset
    is_link = made_by >> 8 in _MADE_ON_UNIX and (mode >> 16) & _FILE_TYPE == _LINK
    return DirectoryEntry(name, flags, offset, crc, n_packed, is_link, extras)


def member_of(local: ZipMember, entry: DirectoryEntry, names: NameDecoder) -> ZipMember:
    """Return a member as the directory has it: what it says counts, and it knows sizes that local headers lack."""
    path, refusal, is_folder = _path(entry.name, entry.extras, names, is_utf8=bool(entry.flags & IS_UTF8))
    if not refusal:
        refusal = "a symbolic link" if entry.is_link else local.content_refusal
    return replace(
        local,
        path=path,
        refusal=refusal,
        is_folder=is_folder,
        crc=entry.crc,
        n_packed=entry.n_packed,
        has_descriptor=False,
    )


def _from_64(extra: bytes, otherwise: int) -> int:
    return int.from_bytes(extra, "little") if len(extra) == 8 else otherwise


def names_in_headers(file: BinaryIO) -> Iterator[bytes]:
    """The names in the local headers of a zip's beginning, but those that say that they are UTF-8."""
    file.seek(0)
    rest = b""
    while piece := file.read(_PIECE_BYTES):
        data = rest + piece
        for found in _LOCAL_HEADER.finditer(data):
            _version, flags, *_others, n_name, _n_extra = _LOCAL_FIELDS.unpack(found[1])
            if not flags & IS_UTF8 and found.end() + n_name <= len(data):
                yield data[found.end() : found.end() + n_name]
        rest = data[-_MAX_HEADER_BYTES:]


def read_local_header(source: Source, offset: int, names: NameDecoder) -> ZipMember:
    """Read a local header behind its signature.

    Raises:
        ZipError: The zip ends in it, or a size is missing.
    """
    head = source.take(_LOCAL_FIELDS.size)
    if len(head) < _LOCAL_FIELDS.size:
        raise zip_cut_off()
    _version, flags, method, time, day, crc, n_packed, n_bytes, n_name, n_extra = _LOCAL_FIELDS.unpack(head)
    variable = bytes(source.take(n_name + n_extra))
    if len(variable) < n_name + n_extra:
        raise zip_cut_off()
    extras = _parse_extras(variable[n_name:])
    path, refusal, is_folder = _path(variable[:n_name], extras, names, is_utf8=bool(flags & IS_UTF8))
    if _IN_EXTRA_64 in (n_packed, n_bytes):
        n_packed = _packed_size_64(extras.get(_EXTRA_64, b""), n_packed, n_bytes)
    has_descriptor = bool(flags & _HAS_DESCRIPTOR)
    content_refusal = ""
    if flags & _ENCRYPTED:
        content_refusal = "an encrypted file"
    elif method not in (STORED, DEFLATED):
        content_refusal = f"a file compressed by an unsupported method ({_METHODS.get(method, method)})"
    return ZipMember(
        path,
        refusal or content_refusal,
        content_refusal,
        is_folder,
        offset,
        method,
        crc,
        n_packed if n_packed > 0 or not has_descriptor else None,
        has_descriptor,
        _modified_at(day, time, extras.get(_EXTRA_TIMES, b"")),
    )


def _modified_at(day: int, time: int, times: bytes) -> int | None:
    """Read when a file was last changed: from its extra field, else from the header, whose time is local."""
    if len(times) >= 5 and times[0] & 1:
        return int.from_bytes(times[1:5], "little")
    try:
        moment = datetime(  # noqa: DTZ001
            1980 + (day >> 9), day >> 5 & 15, day & 31, time >> 11, time >> 5 & 63, min(time % 32 * 2, 59)
        )
        return int(moment.timestamp()) if moment.year > 1980 else None  # a zip without times has the first of 1980
    except (ValueError, OverflowError):
        return None


def _parse_extras(extras: bytes) -> dict[int, bytes]:
    found = {}
    at = 0
    while at + 4 <= len(extras):
        key, size = struct.unpack_from("<HH", extras, at)
        found[key] = extras[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _packed_size_64(extra: bytes, n_packed: int, n_bytes: int) -> int:
    """Read a size that needs more than 32 bits; the uncompressed one comes first, if that one needs it too."""
    if n_packed != _IN_EXTRA_64:
        return n_packed
    at = 8 if n_bytes == _IN_EXTRA_64 else 0
    if len(extra) < at + 8:
        raise ZipError("The zip is damaged: a size of 64 bits is missing. Pack it again.")
    return int(struct.unpack_from("<Q", extra, at)[0])


def _path(name: bytes, extras: dict[int, bytes], names: NameDecoder, *, is_utf8: bool) -> tuple[str, str, bool]:
    """Decode and check an entry's name."""
    unicode_path = extras.get(_EXTRA_PATH, b"")
    if len(unicode_path) > 5 and int.from_bytes(unicode_path[1:5], "little") == zlib.crc32(name):
        name, is_utf8 = unicode_path[5:], True
    name = name.replace(b"\\", b"/") if is_utf8 else decode_path(name, names)
    path, refusal = clean_path(name)
    if not refusal and _DRIVE.match(path):
        refusal = "an absolute path"
    return path, refusal, name.endswith(b"/")
