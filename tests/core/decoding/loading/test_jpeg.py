"""JPEGs whose end is missing: all of the picture, most of it, or too little."""

import io

import numpy as np
import pytest
from PIL import Image

from core.base.errors import ErrorCode, ImageError, ImageWarning
from core.decoding.images import decode, make_thumbnail
from tests.support.damaged import arithmetic_jpegs, jpegs, many_scans, multi_picture_jpeg
from tests.support.pictures import draw, encode

KINDS = {**jpegs(), **arithmetic_jpegs()}
ONE_SCAN = [name for name in jpegs() if name != "progressive"]
SIDE = 64


def refusal(data):
    with pytest.raises(ImageError) as caught:
        decode(data, SIDE)
    return caught.value.code


def difference(pixels, expected):
    return np.abs(pixels.astype(int) - expected.astype(int)).mean()


def top(data, n_rows):
    """The upper rows of a whole JPEG, the last of them repeated to the end."""
    pixels = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    pixels[n_rows:] = pixels[n_rows - 1]
    return decode(encode(Image.fromarray(pixels), "PNG"), SIDE).pixels


@pytest.mark.parametrize("n_bytes", [1, 2, 3])
@pytest.mark.parametrize("name", KINDS)
def test_without_its_last_bytes_a_jpeg_is_as_good_as_whole(name, n_bytes):
    whole = decode(KINDS[name], SIDE).pixels
    pixels, warning = decode(KINDS[name][:-n_bytes], SIDE)
    assert warning is None
    assert difference(pixels, whole) < (0.2 if name in ONE_SCAN else 1)  # a byte of the others says more


@pytest.mark.parametrize("size", [(48, 48), (40, 40), (64, 33), (200, 100)])
@pytest.mark.parametrize("n_bytes", [1, 2, 3])
def test_a_small_jpeg_without_its_last_bytes_is_whole_too(size, n_bytes):
    data = encode(draw(3, size=size), "JPEG", quality=90)
    assert decode(data[:-n_bytes], SIDE).warning is None


@pytest.mark.parametrize("padding", [bytes(5000), b"\xff" * 5000, b"GET / HTTP/1.1\r\n" * 300, bytes(range(256)) * 20])
@pytest.mark.parametrize("name", KINDS)
def test_what_follows_the_end_mark_does_not_count(name, padding):
    pixels, warning = decode(KINDS[name] + padding, SIDE)
    assert warning is None
    np.testing.assert_array_equal(pixels, decode(KINDS[name], SIDE).pixels)


@pytest.mark.parametrize("name", KINDS)
def test_zeros_in_place_of_the_end_mark_do_not_count(name):
    pixels, warning = decode(KINDS[name][:-2] + bytes(5000), SIDE)
    assert warning is None
    np.testing.assert_array_equal(pixels, decode(KINDS[name], SIDE).pixels)


@pytest.mark.parametrize("end", [-1, -2, None])
def test_only_the_first_picture_of_a_file_with_two_has_to_be_whole(end):
    data = multi_picture_jpeg()
    for cut in (data[:end], data[: len(data) * 3 // 4]):
        pixels, warning = decode(cut, SIDE)
        assert warning is None
        np.testing.assert_array_equal(pixels, decode(data, SIDE).pixels)


@pytest.mark.parametrize("name", ONE_SCAN)
def test_a_picture_with_nine_tenths_of_its_rows_is_used_and_its_last_row_repeated(name):
    data = KINDS[name]
    pixels, warning = decode(data[: int(len(data) * 0.97)], SIDE)
    assert warning == ImageWarning.PARTLY_READABLE
    rows = [difference(pixels, top(data, n_rows)) for n_rows in range(432, 480, 8)]
    assert min(rows) < 2.5
    assert not (np.abs(pixels[-2:].astype(int) - 128) <= 2).all(), "grey rows were left in"


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.85])
@pytest.mark.parametrize("name", ONE_SCAN)
def test_a_picture_with_fewer_rows_is_truncated(name, share):
    data = KINDS[name]
    assert refusal(data[: int(len(data) * share)]) == ErrorCode.TRUNCATED


@pytest.mark.parametrize(
    "ending", [b"\xff\xd9", bytes(9000), b"\xf6" * 9000, b"\xff" * 9000, b"\xff\xd9" + bytes(9000), b"\xff\xc4\0\2" * 9]
)
def test_half_a_picture_is_truncated_whatever_stands_behind_it(ending):
    half = KINDS["baseline"][: len(KINDS["baseline"]) // 2]
    assert refusal(half + ending) == ErrorCode.TRUNCATED


def test_half_an_arithmetic_picture_is_truncated():
    data = KINDS["arithmetic"]
    assert refusal(data[: len(data) - 60]) == ErrorCode.TRUNCATED


def test_a_progressive_picture_needs_its_first_scans_and_lacks_only_details_without_the_others():
    data = KINDS["progressive"]
    whole = decode(data, SIDE).pixels
    scans = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    assert refusal(data[: scans[1] - 10]) == ErrorCode.TRUNCATED  # in the means of the blocks
    assert refusal(data[: scans[1] + 500]) == ErrorCode.TRUNCATED  # in the first coefficients of brightness
    for end in (scans[5], scans[-1], scans[-1] + 500):
        pixels, warning = decode(data[:end], SIDE)
        assert warning == ImageWarning.PARTLY_READABLE
        assert difference(pixels, whole) < 6


def test_a_picture_that_really_ends_in_grey_is_whole():
    image = draw(4, size=(96, 96))
    image.paste((128, 128, 128), (0, 48, 96, 96))
    pixels, warning = decode(encode(image, "JPEG", quality=90), SIDE)
    assert warning is None
    assert np.abs(pixels[-8:].astype(int) - 128).max() <= 3


@pytest.mark.parametrize("side_px", [16, 64, 224, 600])
def test_the_verdict_is_the_same_at_every_size(side_px):
    for cut in range(80, 100):
        data = KINDS["baseline"][: len(KINDS["baseline"]) * cut // 100]
        assert _outcome(data, side_px) == _outcome(data, SIDE)


def _outcome(data, side_px):
    try:
        return decode(data, side_px).warning
    except ImageError as error:
        return error.code


def test_a_large_arithmetic_or_progressive_file_is_read_at_once():
    data = many_scans((64, 64), 3)
    assert decode(data[:-2] + bytes(2**18), SIDE).warning is None


def test_a_thumbnail_keeps_the_proportions_of_the_whole_picture():
    data = KINDS["baseline"]
    small = Image.open(io.BytesIO(make_thumbnail(data[: int(len(data) * 0.96)], 480)))
    assert small.size == (160, 480)
    bottom = np.asarray(small)[-4:].astype(int)
    assert np.abs(bottom - bottom[0]).mean() < 5
