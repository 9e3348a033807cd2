"""WebP whose sizes are wrong, or whose end is missing."""

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError, ImageWarning
from core.decoding.images import decode
from tests.support.pictures import draw, encode

SIDE = 64
IMAGE = draw(7, size=(150, 450))
KINDS = {
    "lossy": encode(IMAGE, "WEBP", quality=80),
    "lossless": encode(IMAGE, "WEBP", lossless=True),
    "with EXIF": encode(IMAGE, "WEBP", quality=80, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "with alpha": encode(IMAGE.convert("RGBA"), "WEBP", quality=80, exact=True),
    "animated": encode(IMAGE, "WEBP", quality=80, save_all=True, append_images=[draw(8, size=(150, 450))]),
}


def with_size(data, n_bytes):
    return data[:4] + n_bytes.to_bytes(4, "little") + data[8:]


@pytest.mark.parametrize("off", [-9, -8, -2, -1, 0, 1, 2, 7, 100, 10**6])
@pytest.mark.parametrize("name", KINDS)
def test_a_wrong_size_of_the_file_does_not_matter(name, off):
    data = KINDS[name]
    pixels, warning = decode(with_size(data, len(data) - 8 + off), SIDE)
    assert warning is None
    np.testing.assert_array_equal(pixels, decode(data, SIDE).pixels)


@pytest.mark.parametrize("padding", [bytes(1), bytes(3000), b"\xff" * 999])
@pytest.mark.parametrize("name", KINDS)
def test_what_follows_the_file_does_not_matter(name, padding):
    pixels, warning = decode(KINDS[name] + padding, SIDE)
    assert warning is None
    np.testing.assert_array_equal(pixels, decode(KINDS[name], SIDE).pixels)


def test_only_the_first_frame_has_to_be_whole():
    data = KINDS["animated"]
    pixels, warning = decode(data[: len(data) * 3 // 4], SIDE)
    assert warning is None
    np.testing.assert_array_equal(pixels, decode(data, SIDE).pixels)


@pytest.mark.parametrize("name", ["lossy", "lossless", "with alpha"])
def test_most_of_a_picture_is_used_and_less_of_it_is_truncated(name):
    data = KINDS[name]
    pixels, warning = decode(data[: int(len(data) * 0.97)], SIDE)
    assert warning == ImageWarning.PARTLY_READABLE
    assert np.abs(pixels.astype(int) - decode(data, SIDE).pixels).mean() < 12
    for share in (0.3, 0.5, 0.8):
        with pytest.raises(ImageError) as caught:
            decode(data[: int(len(data) * share)], SIDE)
        assert caught.value.code == ErrorCode.TRUNCATED
