"""Whole files in variants that are not read are named, and what is no picture is not called damaged."""

import re

import pytest

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode_image
from tests.support import pictures

JPEG = pictures.jpeg(1)
TEXTS = [
    "BMW sells cars",
    "BM",
    "P1 is a prime",
    "P3: notes",
    "P5 6",
    "P7 of the list",
    "PF accounts",
    "GIF89a is a format",
    "GIF8 texts",
    "II*, a name",
    "MM dd",
    "RIFF of the guitar",
    "8BPS per second",
    "qoif and more",
    "icns for Macs",
    "DDS drives",
    "BLP1 form",
    "Pf 3",
    "FOVb",
    "IIRO",
]


def frame(marker=0xC0, precision=8):
    """A JPEG whose frame is of another kind."""
    at = JPEG.index(b"\xff\xc0")
    return JPEG[:at] + bytes((0xFF, marker)) + JPEG[at + 2 : at + 4] + bytes((precision,)) + JPEG[at + 5 :]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (frame(precision=12), "JPEG with 12 bits for each sample"),
        (frame(0xC1, 12), "JPEG with 12 bits for each sample"),
        (frame(0xC3), "lossless JPEG"),
        (frame(0xC5), "hierarchical JPEG"),
        (frame(0xF7), "JPEG-LS"),
        (b"\xff\x0a" + bytes(60), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60), "JPEG XL"),
        (b"8BPS\0\1" + bytes(60), "Photoshop picture (PSD)"),
        (b"P6\n4 4\n255\n" + bytes(48), "portable anymap (PBM, PGM or PPM)"),
        (b"P1\n# a comment\n2 2\n0 1\n1 0\n", "portable anymap (PBM, PGM or PPM)"),
    ],
)
def test_a_variant_is_refused_by_its_name(data, name):
    with pytest.raises(ImageError, match=re.escape(name)) as refused:
        decode_image(data, 16)
    assert refused.value.code == ErrorCode.UNSUPPORTED_FORMAT
    assert refused.value.detail == name


@pytest.mark.parametrize(
    "start",
    TEXTS,
)
def test_a_text_is_no_picture_whatever_its_first_letters_are(start):
    for text in (start, start + "\r\nand a second line, long enough for any header that may follow.\n" * 9):
        with pytest.raises(ImageError) as refused:
            decode_image(text.encode(), 16)
        assert refused.value.code == ErrorCode.NOT_AN_IMAGE


def test_a_jpeg_2000_shows_what_was_drawn():
    image = pictures.draw(4)
    for options in ({}, {"irreversible": True, "quality_layers": [20]}, {"num_resolutions": 2}):
        pixels = decode_image(pictures.encode(image, "JPEG2000", **options), 32).astype(int)
        assert abs(pixels - decode_image(pictures.encode(image, "PNG"), 32)).mean() < 4
