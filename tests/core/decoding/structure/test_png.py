"""PNG: what stands next to the picture does not count, what makes the picture does."""

import zlib

import numpy as np
import pytest

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode
from core.decoding.structure.png import keep_picture
from tests.support.damaged import break_checksum, chunk, with_chunk
from tests.support.pictures import draw, encode

SIDE = 48
PLAIN = encode(draw(3), "PNG")
PALETTE = encode(draw(3).convert("P"), "PNG")
LARGE = zlib.compress(bytes(3 * 2**20))
NEXT_TO_IT = {
    "pHYs": bytes(9),
    "tIME": bytes(7),
    "gAMA": bytes(4),
    "cHRM": bytes(32),
    "sRGB": b"\0",
    "tEXt": b"Comment\0text",
    "eXIf": b"MM\0*\0\0\0\x08\0\0\0\0\0\0",
    "iCCP": b"name\0\0" + zlib.compress(bytes(400)),
    "sBIT": b"\x08\x08\x08",
    "tRNS": bytes(6),
    "abCd": bytes(100),
}


def assert_reads_like(data, whole):
    pixels, warning = decode(data, SIDE)
    assert warning is None
    np.testing.assert_array_equal(pixels, decode(whole, SIDE).pixels)


@pytest.mark.parametrize("kind", NEXT_TO_IT)
def test_a_wrong_checksum_next_to_the_picture_does_not_matter(kind):
    assert_reads_like(with_chunk(PLAIN, chunk(kind.encode(), NEXT_TO_IT[kind], checksum=1)), PLAIN)


@pytest.mark.parametrize(
    "kind", ["pHYs", "tIME", "gAMA", "cHRM", "sRGB", "acTL", "fcTL", "tRNS", "eXIf", "iCCP", "zTXt"]
)
@pytest.mark.parametrize("body", [b"", b"\xff", bytes(5)])
def test_a_body_of_the_wrong_length_next_to_the_picture_does_not_matter(kind, body):
    assert_reads_like(with_chunk(PLAIN, chunk(kind.encode(), body)), PLAIN)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"Comment\0\0" + LARGE),
        (b"iTXt", b"Comment\0\1\0\0\0" + LARGE),
        (b"iCCP", b"profile\0\0" + LARGE),
        (b"zTXt", b"Raw profile type exif\0\0" + LARGE),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE),
        (b"tEXt", b"Comment\0" + bytes(3 * 2**20)),
    ],
)
def test_texts_and_profiles_of_megabytes_do_not_matter(kind, body):
    assert_reads_like(with_chunk(PLAIN, chunk(kind, body)), PLAIN)


@pytest.mark.parametrize("place", ["front", "back"])
def test_a_length_beyond_the_end_does_not_matter_next_to_the_picture(place):
    endless = b"\x7f\xff\xff\xfftEXtComment\0 never ends"
    data = with_chunk(PLAIN, endless) if place == "front" else PLAIN[:-12] + endless
    assert_reads_like(data, PLAIN)


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"PLTE"])
def test_a_wrong_checksum_of_the_picture_itself_is_damage(kind):
    with pytest.raises(ImageError) as caught:
        decode(break_checksum(PALETTE, kind), SIDE)
    assert caught.value.code == ErrorCode.TRUNCATED


@pytest.mark.parametrize("n_bytes", range(1, 17))
def test_the_end_mark_and_the_last_checksum_may_be_missing(n_bytes):
    assert_reads_like(PLAIN[:-n_bytes], PLAIN)


@pytest.mark.parametrize("padding", [bytes(4000), b"<html>" * 100])
def test_what_follows_the_end_mark_does_not_matter(padding):
    assert_reads_like(PLAIN + padding, PLAIN)
    assert_reads_like(PLAIN[:-12] + bytes(4000), PLAIN)


def test_a_file_with_nothing_but_its_picture_is_not_copied():
    assert keep_picture(PLAIN) is PLAIN


def test_a_profile_that_is_packed_in_an_unknown_way_does_not_matter():
    profile = chunk(b"iCCP", b"name\0\7" + zlib.compress(bytes(400)))
    assert_reads_like(with_chunk(PLAIN, profile), PLAIN)


def test_a_png_from_inside_an_app_is_refused_by_name():
    with pytest.raises(ImageError) as caught:
        decode(PLAIN[:8] + chunk(b"CgBI", b"\x50\0\x20\6") + PLAIN[8:], SIDE)
    assert caught.value.code == ErrorCode.UNSUPPORTED_FORMAT
    assert "CgBI" in caught.value.detail
