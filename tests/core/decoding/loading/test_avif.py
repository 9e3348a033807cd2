"""AVIF: the clean aperture of a frame is the picture."""

import numpy as np
import pytest

from core.decoding.images import decode_image
from core.decoding.structure.avif_crop import find_crop
from tests.support.damaged import with_crop
from tests.support.pictures import draw, encode

CROP = (16, 8, 80, 56)


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_is_outside_the_clean_aperture_is_no_part_of_the_picture(orientation):
    frame = draw(3, size=(96, 64))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes((orientation, 0, 0, 0, 0, 0, 0))
    cropped = with_crop(encode(frame, "AVIF", quality=95, exif=exif), CROP)
    expected = encode(frame.crop(CROP), "PNG", exif=exif)
    difference = np.abs(decode_image(cropped, 32).astype(int) - decode_image(expected, 32)).mean()
    assert difference < 6


@pytest.mark.parametrize("crop", [(0, 0, 97, 64), (-2, 0, 64, 64), (10, 10, 10, 20)])
def test_a_crop_that_is_none_is_left_out(crop):
    assert find_crop(with_crop(encode(draw(3, size=(96, 64)), "AVIF"), crop), 96, 64) is None


def test_any_bytes_may_be_in_the_boxes():
    data = with_crop(encode(draw(3, size=(96, 64)), "AVIF"), CROP)
    assert find_crop(data, 96, 64) == CROP
    for length in range(0, len(data), 7):
        find_crop(data[:length], 96, 64)
