"""Walking a zip front to back: local headers as they come, and the directory at its end for what only it has.

Own code rather than `zipfile` (which must seek) or `stream-unzip` (which gives up the whole zip over one encrypted
file): here a fault costs one entry, as long as its end can be found.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 (layout), 4.4 (fields), 4.5 (extra fields), 4.6.9 (Unicode path).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from core.base.errors import Invalid
from core.formats.tar import Source
from core.formats.tar_headers import clean_path

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
END = b"PK\x05\x06"
DIRECTORY = (CENTRAL, END, b"PK\x06\x06", b"PK\x06\x08")
STORED, DEFLATED = 0, 8

_LOCAL_FIELDS = struct.Struct("<HHHHHLLLHH")
_CENTRAL_FIELDS = struct.Struct("<6H3L5HLL")
_ENCRYPTED, _HAS_DESCRIPTOR, _IS_UTF8 = 1, 8, 2048
_EXTRA_64, _EXTRA_PATH = 1, 0x7075
_IN_EXTRA_64 = 0xFFFF_FFFF
_MADE_ON_UNIX = (3, 19)  # 19: macOS
_FILE_TYPE, _LINK = 0o170000, 0o120000
_DRIVE = re.compile(r"[A-Za-z]:/")


class ZipError(Invalid):
    """The bytes are not a whole, well-formed zip, or the next entry cannot be found."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One entry's local header.

    Attributes:
        path: Components divided by "/".
        refusal: Why the entry cannot be taken, or empty.
        is_folder: A directory.
        offset: Where the header stands; the directory repeats it.
        method: How the content is compressed.
        crc: CRC-32 of the content, unless `has_descriptor`.
        n_packed: Bytes of the compressed content; None when only a descriptor behind it has the size.
        has_descriptor: CRC and sizes follow the content.
    """

    path: str
    refusal: str
    is_folder: bool
    offset: int
    method: int
    crc: int
    n_packed: int | None
    has_descriptor: bool


def read_zip_members(source: Source) -> Iterator[ZipMember]:
    """Walk a zip's local headers up to its directory.

    The caller reads each member's content before it asks for the next.

    Raises:
        ZipError: The zip ends too early, or something else stands where an entry should begin.
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
        yield _read_local_header(source, offset)


def read_link_offsets(source: Source) -> Iterator[int]:
    """Walk the directory; name the offsets of the entries that are symbolic links.

    A directory that is cut off ends the walk without an error: every entry came before it.
    """
    while bytes(source.take(len(CENTRAL))) == CENTRAL:
        head = source.take(_CENTRAL_FIELDS.size)
        if len(head) < _CENTRAL_FIELDS.size:
            return
        made_by, *_, n_name, n_extra, n_comment, _disk, _internal, mode, offset = _CENTRAL_FIELDS.unpack(head)
        source.take(n_name + n_extra + n_comment)
        if made_by >> 8 in _MADE_ON_UNIX and (mode >> 16) & _FILE_TYPE == _LINK:
            yield offset


def zip_cut_off() -> ZipError:
    """The error of a zip that ends too early."""
    return ZipError("The zip is incomplete. Upload it again.")


def _read_local_header(source: Source, offset: int) -> ZipMember:
    head = source.take(_LOCAL_FIELDS.size)
    if len(head) < _LOCAL_FIELDS.size:
        raise zip_cut_off()
    _version, flags, method, _time, _date, crc, n_packed, n_bytes, n_name, n_extra = _LOCAL_FIELDS.unpack(head)
    names = bytes(source.take(n_name + n_extra))
    if len(names) < n_name + n_extra:
        raise zip_cut_off()
    extras = _parse_extras(names[n_name:])
    path, refusal, is_folder = _path(names[:n_name], extras, is_utf8=bool(flags & _IS_UTF8))
    if _IN_EXTRA_64 in (n_packed, n_bytes):
        n_packed = _packed_size_64(extras.get(_EXTRA_64, b""), n_packed, n_bytes)
    has_descriptor = bool(flags & _HAS_DESCRIPTOR)
    if flags & _ENCRYPTED:
        refusal = refusal or "an encrypted file"
    elif method not in (STORED, DEFLATED):
        refusal = refusal or f"a file compressed by an unsupported method ({method})"
    is_size_known = n_packed > 0 or not has_descriptor
    return ZipMember(path, refusal, is_folder, offset, method, crc, n_packed if is_size_known else None, has_descriptor)


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


def _path(name: bytes, extras: dict[int, bytes], *, is_utf8: bool) -> tuple[str, str, bool]:
    """Decode and check an entry's name: UTF-8 where it says so or is it, else the code page of DOS."""
    unicode_path = extras.get(_EXTRA_PATH, b"")
    if len(unicode_path) > 5:
        name = unicode_path[5:]
    if not is_utf8:
        try:
            name.decode()
        except UnicodeDecodeError:
            name = name.decode("cp437").encode()
    name = name.replace(b"\\", b"/")  # some Windows programs write their own divider
    path, refusal = clean_path(name)
    if not refusal and _DRIVE.match(path):
        refusal = "an absolute path"
    return path, refusal, name.endswith(b"/")
