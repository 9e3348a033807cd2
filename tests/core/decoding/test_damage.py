"""Drawn pictures of every format, cut and changed at random: an error, a warning, or the right picture."""

import numpy as np
import pytest

from core.base.errors import ImageError, ImageWarning
from core.decoding.images import decode
from core.formats.signatures import code_at_sight
from tests.support.damaged import arithmetic_jpegs, jpegs, multi_picture_jpeg
from tests.support.pictures import draw, encode

SIDE = 48
IMAGE = draw(11, size=(90, 210))
FILES = {
    **jpegs((90, 210)),
    **arithmetic_jpegs(),
    "MPO": multi_picture_jpeg((90, 210)),
    **{format: encode(IMAGE, format) for format in ("PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")},
    "lossless WebP": encode(IMAGE, "WEBP", lossless=True),
    "PNG with a palette": encode(IMAGE.convert("P"), "PNG"),
    "interlaced GIF": encode(IMAGE, "GIF", interlace=1),
    "TIFF in strips": encode(IMAGE, "TIFF", compression="tiff_lzw"),
}


def outcome(data):
    """What becomes of bytes; anything but pixels or an ImageError fails the test."""
    try:
        decoded = decode(data, SIDE)
    except ImageError as error:
        return error
    assert decoded.pixels.shape == (SIDE, SIDE, 3)
    return decoded


@pytest.mark.parametrize("padding", [b"", bytes(700)], ids=["cut", "cut and padded"])
@pytest.mark.parametrize("name", FILES)
def test_a_cut_picture_is_an_error_a_warning_or_the_whole_picture(name, padding):
    rng = np.random.default_rng([len(name), len(padding)])
    whole = decode(FILES[name], SIDE).pixels.astype(int)
    for length in rng.integers(12, len(FILES[name]), 40):
        found = outcome(FILES[name][:length] + padding)
        if isinstance(found, ImageError):
            continue
        difference = np.abs(found.pixels - whole).mean()
        assert difference < (2 if found.warning is None else 14), f"{length} of {len(FILES[name])} bytes"


@pytest.mark.parametrize("name", FILES)
def test_a_changed_picture_is_an_error_or_a_picture(name):
    rng = np.random.default_rng([7, len(name)])
    for _ in range(60):
        data = bytearray(FILES[name])
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(len(data))] = rng.integers(256)
        found = outcome(bytes(data))
        assert isinstance(found, ImageError) or found.warning in (None, ImageWarning.PARTLY_READABLE)


@pytest.mark.parametrize("name", FILES)
def test_what_is_refused_at_sight_no_decoder_reads(name):
    rng = np.random.default_rng([8, len(name)])
    for _ in range(30):
        data = bytearray(FILES[name][: rng.integers(len(FILES[name]))])
        for at in rng.integers(0, min(len(data), 16) or 1, 2)[: len(data)]:
            data[at] = rng.integers(256)
        if (code := code_at_sight(bytes(data))) is not None:
            found = outcome(bytes(data))
            assert isinstance(found, ImageError)
            assert found.code == code
