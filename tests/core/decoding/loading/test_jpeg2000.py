"""JPEG 2000: what is lost of colours with more than 8 bits is not shown as a dark picture."""

import numpy as np
import pytest
from PIL import Image

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode, decode_image
from core.decoding.loading import jpeg2000
from tests.support.pictures import draw, encode

PICTURE = draw(4)
DARK = PICTURE.point(lambda value: value // 16)


def test_colours_that_use_few_of_16_bits_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(jpeg2000, "_bits", lambda data: 16)  # Pillow writes no such colours
    with pytest.raises(ImageError) as caught:
        decode(encode(DARK, "JPEG2000"), 16)
    assert caught.value.code == ErrorCode.UNSUPPORTED_FORMAT
    assert caught.value.detail == "JPEG 2000 with colours that use few of 16 bits"
    assert decode(encode(PICTURE, "JPEG2000"), 16).warning is None


def test_a_dark_picture_of_8_bits_stays_dark():
    assert decode_image(encode(DARK, "JPEG2000"), 16).max() < 32


@pytest.mark.parametrize("no_jp2", [False, True])
def test_greys_that_use_few_of_16_bits_are_brought_to_their_range(no_jp2):
    grey = Image.fromarray(np.asarray(PICTURE.convert("L"), np.uint16) * 4)
    data = encode(grey, "JPEG2000", no_jp2=no_jp2)
    assert jpeg2000._bits(data) == 16
    expected = decode_image(encode(PICTURE.convert("L"), "PNG"), 16).astype(int)
    assert np.abs(decode_image(data, 16) - expected).mean() < 3


def test_any_bytes_may_be_in_the_header():
    assert jpeg2000._bits(b"") == jpeg2000._bits(b"\xff\x4f\xff\x51" + bytes(20)) == 0
