"""BMPs of the kinds that people have: right, or refused by name."""

import struct

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode_image
from tests.support import pictures

IMAGE = pictures.draw(2, size=(48, 40))
PIXELS = np.asarray(IMAGE)


def bmp(rows, bits, *, compression=0, masks=(), header_size=40, palette=b"", top_down=False):
    """A BMP of packed rows, the first one being the lowest unless it is top down."""
    height = -IMAGE.height if top_down else IMAGE.height
    info = struct.pack("<iiHHIIiiII", IMAGE.width, height, 1, bits, compression, 0, 0, 0, len(palette) // 4, 0)
    packed = b"".join(struct.pack("<I", mask) for mask in masks)
    header = struct.pack("<I", header_size) + info
    header = header + packed if header_size == 40 else (header + packed).ljust(header_size, b"\0")
    offset = 14 + len(header) + len(palette)
    body = header + palette + b"".join(row + bytes(-len(row) % 4) for row in rows)
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, offset) + body


def rows_of(pixels, *, top_down=False):
    return [row.tobytes() for row in (pixels if top_down else pixels[::-1])]


def assert_shows(data, tolerance=2.0):
    expected = decode_image(pictures.encode(IMAGE, "PNG"), 32).astype(int)
    assert np.abs(decode_image(data, 32) - expected).mean() < tolerance


@pytest.mark.parametrize("header_size", [56, 108, 124])
def test_an_alpha_of_all_zeros_means_nothing(header_size):
    with_alpha = np.concatenate((PIXELS[..., ::-1], np.zeros((*PIXELS.shape[:2], 1), np.uint8)), axis=2)
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    assert_shows(bmp(rows_of(with_alpha), 32, compression=3, masks=masks, header_size=header_size))


def test_an_alpha_that_is_used_counts():
    with_alpha = np.concatenate((PIXELS[..., ::-1], np.zeros((*PIXELS.shape[:2], 1), np.uint8)), axis=2)
    with_alpha[:20, :, 3] = 255
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    pixels = decode_image(bmp(rows_of(with_alpha), 32, compression=3, masks=masks, header_size=108), 8)
    assert (pixels[5:] == 255).all()
    assert pixels[:3].mean() < 220


@pytest.mark.parametrize("top_down", [False, True])
def test_rows_may_begin_at_the_top(top_down):
    assert_shows(bmp(rows_of(PIXELS[..., ::-1], top_down=top_down), 24, top_down=top_down))


@pytest.mark.parametrize(("masks", "shifts"), [((0xF800, 0x7E0, 0x1F), (5, 6, 5)), ((0x7C00, 0x3E0, 0x1F), (5, 5, 5))])
def test_sixteen_bits_hold_three_colours(masks, shifts):
    red, green, blue = (PIXELS[..., i].astype(np.uint16) >> (8 - shifts[i]) for i in range(3))
    packed = red << (shifts[1] + shifts[2]) | green << shifts[2] | blue
    assert_shows(bmp(rows_of(packed), 16, compression=3, masks=masks), tolerance=5)


@pytest.mark.parametrize(("compression", "name"), [(4, "JPEG"), (5, "PNG")])
def test_a_picture_inside_a_bmp_is_refused_by_name(compression, name):
    with pytest.raises(ImageError, match=f"BMP with a {name} inside") as refused:
        decode_image(bmp([bytes(500)], 0 if compression == 5 else 24, compression=compression), 16)
    assert refused.value.code == ErrorCode.UNSUPPORTED_FORMAT
