"""Camera raws: by their preview where it shows the same and is large enough, else developed."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode_image, make_thumbnail
from tests.support import pictures

RED, GREEN, BLUE = (230, 30, 30), (30, 200, 30), (30, 30, 230)


def dng(colour, *, preview=None, size=(96, 64)):
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


def _directory(tags, at):
    entries, values = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}{ {1: 'B', 2: 'B', 3: 'H', 4: 'I'}[kind] }", *numbers)
        entries += struct.pack("<HHI", tag, kind, len(numbers))
        place = at + 2 + 12 * len(tags) + 4 + len(values)
        entries += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", place)
        values += packed + bytes(len(packed) % 2) if len(packed) > 4 else b""
    return struct.pack("<H", len(tags)) + entries + bytes(4) + values


def jpeg_of(colour, size):
    return pictures.encode(Image.new("RGB", size, colour), "JPEG", quality=90)


def strongest(pixels):
    return int(pixels.reshape(-1, 3).mean(axis=0).argmax())


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE])
def test_a_raw_without_a_preview_is_developed(colour):
    assert strongest(decode_image(dng(colour), 16)) == colour.index(max(colour))


def test_a_preview_of_the_same_proportions_is_used():
    data = dng(GREEN, preview=jpeg_of(RED, (96, 64)))
    assert strongest(decode_image(data, 32)) == 0
    assert Image.open(io.BytesIO(make_thumbnail(data, 60))).size == (60, 40)


@pytest.mark.parametrize("size", [(96, 72), (24, 16)])
def test_a_preview_of_other_proportions_or_too_small_is_not_used(size):
    assert strongest(decode_image(dng(GREEN, preview=jpeg_of(RED, size)), 32)) == 1


@pytest.mark.parametrize("length", [40, 2000])
def test_a_raw_that_breaks_off_is_refused(length):
    with pytest.raises(ImageError):
        decode_image(dng(RED)[:length], 16)


def test_a_raw_of_a_kind_that_is_not_known_is_refused_by_name():
    with pytest.raises(ImageError, match="camera raw") as refused:
        decode_image(b"FUJIFILMCCD-RAW 0201" + bytes(200), 16)
    assert refused.value.code == ErrorCode.UNSUPPORTED_FORMAT
