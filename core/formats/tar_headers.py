"""One tar header: numbers, checksum, extended records, paths. Pure functions over a few bytes.

Source: POSIX.1-2017, pax, "pax Interchange Format" and "ustar Interchange Format"; GNU tar 1.35, "Basic Tar Format".
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.base.errors import Invalid

BLOCK = 512
SIZE_KEY = "PAWSORT.size"  # pax key: the true size of a file that was too large to upload
MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255
MAX_SIZE = 2**63 - 1  # what SQL can hold

LINK_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
}
HARD_LINK_KIND = b"1"
SPARSE_KIND = b"S"
_REGULAR_KINDS = (b"0", b"\0", b"7")
_FOLDER_KINDS = (b"5", b"D")
_SPARSE = b"GNU.sparse"
_PATH, _LINK_PATH, _SIZE, _TRUE_SIZE = b"path", b"linkpath", b"size", SIZE_KEY.encode()
_LONG_PATH, _LONG_LINK = b"L", b"K"  # of GNU tar
_MAX_VALUE_BYTES = 64 * 2**10  # of one record; only attributes, which do not matter here, are longer
_MAX_LENGTH_DIGITS = 20
_SHOWN = 200  # characters of a path that an error repeats


class TarError(Invalid):
    """The bytes are not a whole, well-formed tar."""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a tar.

    Attributes:
        path: As uploaded, without "./" and doubled slashes; bytes that are not UTF-8 are written as `\\xff`.
        n_bytes: Size of the content that follows.
        declared_bytes: True size of a file that was too large to upload.
        is_folder: A directory; it carries nothing.
        refusal: Why the entry cannot be taken ("a symbolic link"), or empty.
        link_target: Of a hard link, the path of the entry that it repeats; else empty.
        modified_at: As `read_modified_at`.
    """

    path: str
    n_bytes: int
    declared_bytes: int | None
    is_folder: bool
    refusal: str
    link_target: str = ""
    modified_at: int | None = None


def read_modified_at(block: bytes) -> int | None:
    """When the file of a header was last changed, in seconds since 1970; None where the header does not say."""
    digits = block[136:148].split(b"\0", 1)[0].strip(b" ")
    return (int(digits, 8) or None) if _is_octal(digits) else None


def check_header(block: bytes, position: int) -> tuple[bytes, int]:
    """Verify a header's checksum and read what every kind of entry has.

    Args:
        block: The 512 bytes.
        position: Where they stand in the tar, for the error's sentence.
    Returns:
        The type flag and the size.
    Raises:
        TarError: The checksum or a number is wrong.
    """
    field = block[148:156]
    expected = _number(field, position)
    # The lower half of Adler-32 is 1 + the sum of all bytes, modulo 65521, and costs a tenth of sum(). In the sum that
    # the field holds, its own eight bytes count as spaces.
    is_right = zlib.adler32(block) & 0xFFFF == (1 + expected - 8 * 32 + sum(field)) % 65521
    if (not is_right or expected > BLOCK * 255) and expected != _signed_sum(block):
        raise TarError(f"The tar's header at byte {position} is damaged (wrong checksum). Build the tar again.")
    return block[156:157], _number(block[124:136], position)


def make_member(
    block: bytes, kind: bytes, size: int, extended: dict[bytes, bytes], decode: Callable[[bytes], bytes]
) -> Member:
    """Put an entry together from its header and the extended records before it.

    Args:
        decode: Turns a path that does not say its encoding into UTF-8; pax records always are.
    Raises:
        TarError: An extended record's number is wrong.
    """
    raw_path = extended.get(_PATH) or decode(extended.get(_LONG_PATH) or header_path(block))
    is_folder = kind in _FOLDER_KINDS or (kind == b"\0" and raw_path.endswith(b"/"))
    path, refusal = clean_path(raw_path)
    modified_at = read_modified_at(block)
    if not extended and kind == b"0":  # by far the most frequent
        return Member(path, size, None, False, refusal, modified_at=modified_at)
    if is_folder:
        return Member(path, size if kind == b"D" else 0, None, True, "")
    if kind in LINK_KINDS:
        target = extended.get(_LINK_PATH) or decode(extended.get(_LONG_LINK) or block[157:257].split(b"\0", 1)[0])
        is_usable = kind == HARD_LINK_KIND and not refusal
        link_target = clean_path(target)[0] if is_usable else ""
        return Member(path, 0, None, False, refusal or LINK_KINDS[kind], link_target, modified_at)
    n_bytes = _decimal(extended[_SIZE], _SIZE) if _SIZE in extended else size
    if kind == SPARSE_KIND or _SPARSE in extended:
        return Member(path, n_bytes, None, False, "a sparse file")
    if kind not in _REGULAR_KINDS:
        return Member(path, n_bytes, None, False, f"an entry of the unknown type {kind!r}")
    declared = _decimal(extended[_TRUE_SIZE], _TRUE_SIZE) if _TRUE_SIZE in extended else None
    if declared is not None and n_bytes:
        refusal = f"a file that has content and yet names another size in {SIZE_KEY}"
    return Member(path, n_bytes, declared, False, refusal, modified_at=modified_at)


def read_pax(size: int, take: Callable[[int], bytes]) -> dict[bytes, bytes]:
    """Read the extended records that matter here: paths, sizes, and whether a file is sparse.

    Others are read past, however large: macOS keeps whole attributes of files in them.

    Args:
        size: Bytes of all records.
        take: Returns the next bytes, exactly as many as asked for.
    Raises:
        TarError: A record is damaged.
    """
    found: dict[bytes, bytes] = {}
    window = b""  # records that are in memory
    while window or size:
        if size and len(window) < _MAX_VALUE_BYTES:
            piece = take(min(size, 2 * _MAX_VALUE_BYTES - len(window)))
            size -= len(piece)
            window += piece
        at = 0
        while at < len(window) and (end := _record_end(window, at)) <= len(window):
            _note_record(window[at:end], found)
            at = end
        if at == len(window):
            window = b""
        elif at:
            window = window[at:]
        else:
            size = _skip_record(_record_end(window, 0) - len(window), size, take)
            _note_key(window, found)
            window = b""
    return found


def _record_end(window: bytes, at: int) -> int:
    """Find where a record ends by the length in front of it, which counts itself."""
    space = window.find(b" ", at, at + _MAX_LENGTH_DIGITS)
    digits = window[at:space] if space > at else b""
    if not digits.isdigit() or int(digits) <= space - at + 1:
        raise _bad_pax()
    return at + int(digits)


def _note_record(record: bytes, found: dict[bytes, bytes]) -> None:
    key, equals, value = record[record.index(b" ") + 1 : -1].partition(b"=")
    if not equals or not record.endswith(b"\n"):
        raise _bad_pax()
    if key in (_PATH, _LINK_PATH, _SIZE, _TRUE_SIZE):
        found[key] = value
    elif key.startswith(_SPARSE):
        found[_SPARSE] = b"1"


def _note_key(beginning: bytes, found: dict[bytes, bytes]) -> None:
    """Note a record that is too long to be kept: a path stays too long, anything else does not matter."""
    key, _, value = beginning[beginning.index(b" ") + 1 :].partition(b"=")
    if key in (_PATH, _LINK_PATH):
        found[key] = value


def _skip_record(n_bytes: int, size: int, take: Callable[[int], bytes]) -> int:
    """Read past the rest of a record; return how many bytes of records are left."""
    if n_bytes > size:
        raise _bad_pax()
    for piece in _pieces(n_bytes):
        take(piece)
    return size - n_bytes


def _pieces(n_bytes: int) -> Iterator[int]:
    while n_bytes > 0:
        yield min(n_bytes, _MAX_VALUE_BYTES)
        n_bytes -= _MAX_VALUE_BYTES


def _bad_pax() -> TarError:
    return TarError("An extended header (pax) in the tar is damaged. Build the tar again.")


def read_long_name(kind: bytes, size: int, take: Callable[[int], bytes]) -> dict[bytes, bytes]:
    """Read GNU tar's long name (L) or long link (K): the path, closed by a zero byte.

    Of one that is too long to be a path, only the beginning is kept; it is refused later.
    """
    content = take(min(size, _MAX_VALUE_BYTES))
    for n_bytes in _pieces(size - len(content)):
        take(n_bytes)
    return {kind: content.rstrip(b"\0")}


def clean_path(raw: bytes) -> tuple[str, str]:
    """Check a path that came from outside.

    It is only ever shown and compared, never opened; what climbs is refused all the same: others will unpack it.

    Args:
        raw: The path's bytes, components divided by "/".
    Returns:
        The path without empty and "." components, and why it cannot be taken, or empty.
    """
    names = [name for name in raw.split(b"/") if name not in (b"", b".")]
    path = b"/".join(names[:MAX_PATH_BYTES]).decode("utf-8", "backslashreplace")
    if b"\0" in raw:
        return path.replace("\0", "\\x00")[:_SHOWN], "a path with a zero byte in it"
    if len(raw) > MAX_PATH_BYTES or len(path.encode()) > MAX_PATH_BYTES:  # which bytes that are not UTF-8 make longer
        return path[:_SHOWN], f"a path of more than {MAX_PATH_BYTES} bytes"
    if raw.startswith(b"/"):
        return path, "an absolute path"
    if not names:
        return path, "an empty path"
    if b".." in names:
        return path, "a path that climbs with '..'"
    if max(map(len, names)) > MAX_NAME_BYTES:
        return path[:_SHOWN], f"a name of more than {MAX_NAME_BYTES} bytes"
    return path, ""


def _signed_sum(block: bytes) -> int:
    """Add up a header as some old programs did, whose bytes have a sign."""
    rest = block[:148] + b" " * 8 + block[156:]
    return sum(byte - 256 if byte > 127 else byte for byte in rest)


def header_path(block: bytes) -> bytes:
    """Read the path of a header, as its bytes are."""
    name = block[:100].split(b"\0", 1)[0]
    if block[345] and block[257:263] == b"ustar\0":  # GNU's own format keeps other things in the prefix
        return block[345:500].split(b"\0", 1)[0] + b"/" + name
    return name


def _number(field: bytes, position: int) -> int:
    """Read a number of a header: octal digits, or GNU's base 256, marked by the highest bit."""
    if field[0] == 0x80:
        value = int.from_bytes(field[1:], "big")
    else:
        digits = field.split(b"\0", 1)[0].strip(b" ")
        if digits and not _is_octal(digits):
            raise TarError(f"The tar's header at byte {position} is damaged (a number is wrong). Build the tar again.")
        value = int(digits, 8) if digits else 0
    if value > MAX_SIZE:
        raise TarError(f"The tar's header at byte {position} names an impossible size ({value}). Build the tar again.")
    return value


def _is_octal(digits: bytes) -> bool:
    return digits.isdigit() and b"8" not in digits and b"9" not in digits


def _decimal(digits: bytes, key: bytes) -> int:
    if not (digits.isdigit() and len(digits) < 20 and int(digits) <= MAX_SIZE):
        raise TarError(f"An extended header (pax) in the tar has a wrong {key.decode()}. Build the tar again.")
    return int(digits)
