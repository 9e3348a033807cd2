"""Camera raws: by their preview where it shows the same and is large enough, else developed."""

import io

import pytest
from PIL import Image

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode_image, make_thumbnail
from tests.support.raw_files import dng, jpeg_of

RED, GREEN, BLUE = (230, 30, 30), (30, 200, 30), (30, 30, 230)


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
