"""PNG, GIF, BMP and TIFF whose end is missing."""

import numpy as np
import pytest
from PIL import Image

from core.base.errors import ErrorCode, ImageError, ImageWarning
from core.decoding.images import decode
from tests.support.damaged import chunk
from tests.support.pictures import draw, encode

SIZE = (100, 200)
SIDE = 40


def files():
    image = draw(7, size=SIZE)
    return {
        "png": encode(image, "PNG"),
        "png with alpha": encode(image.convert("RGBA"), "PNG"),
        "png with a palette": encode(image.convert("P"), "PNG"),
        "grey png": encode(image.convert("L"), "PNG"),
        "16-bit png": encode(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG"),
        "gif": encode(image, "GIF", interlace=0),
        "gif with interlace": encode(image, "GIF", interlace=1),
        "bmp": encode(image, "BMP"),
        "tiff": encode(image, "TIFF"),
        "tiff in strips": encode(image, "TIFF", compression="tiff_lzw", tiffinfo={278: 8}),
    }


FILES = files()
CUT_FROM_THE_TOP = [name for name in FILES if not name.startswith("tiff in")]  # its directory stands at its end


def refusal(data):
    with pytest.raises(ImageError) as caught:
        decode(data, SIDE)
    return caught.value.code


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_has_no_warning(name):
    pixels, warning = decode(FILES[name], SIDE)
    assert warning is None
    assert np.abs(pixels.astype(int) - decode(encode(draw(7, size=SIZE), "PNG"), SIDE).pixels).mean() < 40


@pytest.mark.parametrize("name", CUT_FROM_THE_TOP)
def test_most_of_a_file_is_used_without_the_rows_that_are_missing(name):
    whole = decode(FILES[name], SIDE).pixels
    pixels, warning = decode(FILES[name][: int(len(FILES[name]) * 0.97)], SIDE)
    assert warning == ImageWarning.PARTLY_READABLE
    assert pixels[0].mean() == pytest.approx(whole[0].mean(), rel=0.25)
    for row in (pixels[0], pixels[-1]):
        assert 0 < row.mean() < 255, "rows that are not there were left in"
    assert np.abs(pixels.astype(int) - whole).mean() < 25


@pytest.mark.parametrize("share", [0.4, 0.7, 0.85])
@pytest.mark.parametrize("name", CUT_FROM_THE_TOP)
def test_less_of_a_file_is_truncated(name, share):
    assert refusal(FILES[name][: int(len(FILES[name]) * share)]) == ErrorCode.TRUNCATED


def test_a_png_whose_data_ends_early_without_an_error_is_truncated():
    import zlib

    rows = b"".join(b"\0" + bytes([row, 90, 200]) * 40 for row in range(100))
    header = b"\0\0\0\x28\0\0\0\x64\x08\x02\0\0\0"

    def png(n_rows):
        body = zlib.compress(rows[: n_rows * 121])
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")

    assert decode(png(100), SIDE).warning is None
    assert decode(png(95), SIDE).warning == ImageWarning.PARTLY_READABLE
    assert refusal(png(50)) == ErrorCode.TRUNCATED


def test_a_gif_whose_frame_covers_a_part_of_its_canvas_is_whole():
    data = bytearray(encode(Image.new("P", (20, 20), 1), "GIF"))
    data[6:10] = (60).to_bytes(2, "little") * 2  # the canvas
    assert decode(bytes(data), SIDE).warning is None


def test_rows_of_the_marking_colour_are_taken_for_what_they_are():
    image = draw(7, size=SIZE)
    image.paste((171, 23, 94), (0, 150, 100, 200))
    assert decode(encode(image, "PNG"), SIDE).warning is None


def test_a_turned_tiff_is_not_used_in_part():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(draw(7, size=SIZE), "TIFF", exif=exif)
    assert decode(data, SIDE).warning is None
    assert refusal(data[: int(len(data) * 0.97)]) == ErrorCode.TRUNCATED
