"""The chunks of a PNG, and those of them that make the picture.

A chunk is its length, four letters, a body and a checksum (CRC-32 of letters and body). A small first letter marks what
accompanies the picture: profiles, times, comments. Source: W3C, PNG specification, third edition, sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from core.base.errors import ErrorCode, ImageError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = frozenset((b"IHDR", b"PLTE", b"IDAT"))
_USED = frozenset((b"tRNS", b"sBIT", b"iCCP", b"eXIf"))  # transparency, depth, colours, orientation
_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_USED_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")  # they too may hold the orientation
_MAX_UNPACKED_BYTES = 2**20  # Pillow's own limit
_END = b"\0\0\0\0IEND\xaeB`\x82"
_HEAD = struct.Struct(">I4s")
_EXTRA_BYTES = 12  # of a chunk: length, letters, checksum


class Chunk(NamedTuple):
    """One chunk of a PNG.

    Attributes:
        kind: Its four letters.
        start: Offset of its length.
        end: Offset behind its checksum, or the file's length where it ends before.
        is_whole: Whether the file does not end in it.
        is_right: Whether its checksum is; True where the file ends before it.
    """

    kind: bytes
    start: int
    end: int
    is_whole: bool
    is_right: bool


def keep_picture(data: bytes) -> bytes:
    """A PNG without the chunks that do not make its picture, some of which no decoder could read.

    An end is added where it is missing. A file with nothing else in it is returned as it is.

    Raises:
        ImageError: `truncated`: a checksum of the picture itself is wrong.
    """
    kept: list[Chunk] = []
    for chunk in _walk(data):
        if chunk.kind in _PICTURE and not chunk.is_right:
            raise ImageError(ErrorCode.TRUNCATED)
        if chunk.kind in _PICTURE or (chunk.is_right and _is_usable(data, chunk)):
            kept.append(chunk)
    n_bytes = len(_SIGNATURE) + sum(chunk.end - chunk.start for chunk in kept) + len(_END)
    if n_bytes == len(data) and data.endswith(_END):
        return data
    return b"".join((_SIGNATURE, *(_whole(data, chunk) for chunk in kept), _END))


def _whole(data: bytes, chunk: Chunk) -> bytes:
    """A chunk's bytes; one in which the file ends gets the length and checksum of what is there."""
    if chunk.is_whole:
        return data[chunk.start : chunk.end]
    length, kind = _HEAD.unpack_from(data, chunk.start)
    body = data[chunk.start + _HEAD.size :][:length]
    return _HEAD.pack(len(body), kind) + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _walk(data: bytes) -> Iterator[Chunk]:
    """The chunks before the end mark. One next to the picture that is too long is skipped, up to the picture's next."""
    at = len(_SIGNATURE)
    while len(data) - at >= _HEAD.size:
        length, kind = _HEAD.unpack_from(data, at)
        if kind == b"IEND":
            return
        end = at + length + _EXTRA_BYTES
        if end > len(data) and kind not in _PICTURE:
            at = _find_picture(data, at + _HEAD.size)
            continue
        is_whole = end <= len(data)
        checksum = zlib.crc32(memoryview(data)[at + 4 : end - 4]).to_bytes(4, "big") if is_whole else b""
        yield Chunk(kind, at, min(end, len(data)), is_whole, not is_whole or checksum == data[end - 4 : end])
        at = end


def _find_picture(data: bytes, start: int) -> int:
    places = [data.find(kind, start) for kind in (b"PLTE", b"IDAT")]
    return min((place - 4 for place in places if place >= 0), default=len(data))


def _is_usable(data: bytes, chunk: Chunk) -> bool:
    """Whether a chunk next to the picture is of use, and Pillow can read it."""
    if chunk.kind not in _USED and chunk.kind not in _TEXTS:
        return False
    body = data[chunk.start + _HEAD.size : chunk.end - 4]
    name, _, rest = body.partition(b"\0")
    if chunk.kind == b"tRNS":
        return _fits_colour_type(len(body), data[25] if len(data) > 25 else 0)
    if chunk.kind == b"iCCP":
        return rest[:1] == b"\0" and _unpacks(rest[1:])
    if chunk.kind in _TEXTS:
        return name + b"\0" in _USED_TEXTS and _is_short(chunk.kind, rest)
    return True


def _is_short(kind: bytes, text: bytes) -> bool:
    if kind == b"iTXt" and text[:1] == b"\1":
        return _unpacks(text[2:].split(b"\0", 2)[-1])
    return _unpacks(text[1:]) if kind == b"zTXt" else len(text) <= _MAX_UNPACKED_BYTES


def _fits_colour_type(n_bytes: int, colour_type: int) -> bool:
    return {0: n_bytes == 2, 2: n_bytes == 6, 3: 1 <= n_bytes <= 256}.get(colour_type, False)


def _unpacks(packed: bytes) -> bool:
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, _MAX_UNPACKED_BYTES)
    except zlib.error:
        return False
    return unpacker.eof
