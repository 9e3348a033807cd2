"""Writes raws of cameras (DNG) by hand: a mosaic of one colour, with or without a preview."""

import io
import struct

import numpy as np
from PIL import Image

from tests.support import pictures


def dng(colour: tuple[int, int, int], *, preview: bytes | None = None, size: tuple[int, int] = (96, 64)) -> bytes:
    """A DNG with a mosaic of one colour, uncompressed; the preview is its first picture."""
    width, height = size
    mosaic = np.zeros((height, width), np.uint16)
    for (row, column), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[row::2, column::2] = colour[channel] * 200
    raw = {256: (4, (width,)), 257: (4, (height,)), 258: (3, (16,)), 259: (3, (1,)), 262: (3, (32803,))}
    raw |= {273: (4, (8,)), 277: (3, (1,)), 278: (4, (height,)), 279: (4, (mosaic.nbytes,)), 254: (4, (0,))}
    raw |= {33421: (3, (2, 2)), 33422: (1, (0, 1, 1, 2)), 50717: (4, (51000,)), 50714: (4, (0,))}
    version = {50706: (1, (1, 4, 0, 0)), 271: (2, tuple(b"Maker\0")), 272: (2, tuple(b"Camera\0"))}
    version |= {50708: (2, tuple(b"Maker Camera\0"))}
    body = mosaic.tobytes()
    if preview is None:
        return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + _directory(raw | version, 8 + len(body))
    jpeg_at = 8 + len(body)
    below_at = jpeg_at + len(preview) + len(preview) % 2
    below = _directory(raw, below_at)
    with Image.open(io.BytesIO(preview)) as image:
        sides = image.size
    first = {254: (4, (1,)), 256: (4, sides[:1]), 257: (4, sides[1:]), 258: (3, (8, 8, 8)), 259: (3, (7,))}
    first |= {262: (3, (6,)), 273: (4, (jpeg_at,)), 277: (3, (3,)), 278: (4, sides[1:]), 279: (4, (len(preview),))}
    first |= {330: (4, (below_at,))}
    at = below_at + len(below)
    padded = preview + bytes(len(preview) % 2)
    return b"II*\0" + struct.pack("<I", at) + body + padded + below + _directory(first | version, at)


def _directory(tags: dict[int, tuple[int, tuple[int, ...]]], at: int) -> bytes:
    entries, values = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}{ {1: 'B', 2: 'B', 3: 'H', 4: 'I'}[kind] }", *numbers)
        entries += struct.pack("<HHI", tag, kind, len(numbers))
        place = at + 2 + 12 * len(tags) + 4 + len(values)
        entries += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", place)
        values += packed + bytes(len(packed) % 2) if len(packed) > 4 else b""
    return struct.pack("<H", len(tags)) + entries + bytes(4) + values


def jpeg_of(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    """A JPEG of one colour."""
    return pictures.encode(Image.new("RGB", size, colour), "JPEG", quality=90)
