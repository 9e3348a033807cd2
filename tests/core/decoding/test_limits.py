"""Limits count what is decoded, before it is."""

import tracemalloc

import pytest
from PIL import Image

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode, make_thumbnail
from tests.support.damaged import many_scans, tiff_with_large_tile, tiff_with_many_strips, with_false_size
from tests.support.pictures import encode

LIMIT = 1_000_000


def refusal(data, max_pixels=LIMIT):
    tracemalloc.start()
    try:
        for read in (decode, make_thumbnail):
            with pytest.raises(ImageError) as caught:
                read(data, 64, max_pixels=max_pixels)
            assert caught.value.code == ErrorCode.TOO_MANY_PIXELS
        assert tracemalloc.get_traced_memory()[1] < 2**21 + 2 * len(data)
    finally:
        tracemalloc.stop()
    return caught.value.detail


def jpeg(width, height, **options):
    return encode(Image.new("RGB", (width, height), (90, 60, 30)), "JPEG", **options)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_the_pixels_of_a_picture_count(format):
    data = encode(Image.new("RGB", (1200, 1000)), format)
    assert refusal(data).removeprefix("A frame of ") == "1,200 x 1,000 pixels"
    assert decode(data, 8, max_pixels=1200 * 1000).warning is None


@pytest.mark.parametrize("side_px", [32, 256, 1024])
def test_a_jpeg_that_is_reduced_may_have_five_times_the_pixels(side_px):
    data = jpeg(2400, 2000)
    assert decode(data, side_px, max_pixels=LIMIT).pixels.shape == (side_px, side_px, 3)
    assert make_thumbnail(data, side_px, max_pixels=LIMIT)
    assert refusal(jpeg(2600, 2000)) == "2,600 x 2,000 pixels"


def test_a_large_view_of_a_jpeg_is_decoded_within_the_limit():
    with_limit = make_thumbnail(jpeg(2400, 2000), 2400, max_pixels=LIMIT)
    assert with_limit == make_thumbnail(jpeg(2400, 2000), 2400, max_pixels=LIMIT + 1)


def test_a_progressive_jpeg_counts_at_full_size():
    assert refusal(jpeg(1200, 1000, progressive=True)) == "A progressive JPEG of 1,200 x 1,000 pixels"
    assert decode(jpeg(1000, 1000, progressive=True), 32, max_pixels=LIMIT).warning is None


def test_scans_count_by_the_pixels_they_go_over():
    assert refusal(many_scans((1000, 1000), 100)).endswith("in 106 scans")
    assert decode(many_scans((1000, 1000), 20), 32, max_pixels=LIMIT).warning is None
    assert decode(many_scans((100, 100), 1000), 32, max_pixels=LIMIT).warning is None


def test_a_tile_counts_and_not_the_picture_that_is_cut_out_of_it():
    assert refusal(tiff_with_large_tile(1008)) == "A tile of 1,008 x 1,008 pixels"
    assert decode(tiff_with_large_tile(992), 16, max_pixels=LIMIT).warning is None


def test_strips_and_tiles_are_counted():
    with pytest.raises(ImageError) as caught:
        decode(tiff_with_many_strips(2**18 + 1), 16)
    assert caught.value.detail == "262,145 strips or tiles"
    assert decode(tiff_with_many_strips(2000), 16).warning is None


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_the_frame_of_an_avif_counts_and_not_what_its_boxes_say(brand):
    data = with_false_size("AVIF", 1200, 1000, 64).replace(b"ftypavif", b"ftyp" + brand, 1)
    assert refusal(data) == "A frame of 1,200 x 1,000 pixels"


def test_the_frame_of_a_heic_counts_and_not_what_its_boxes_say():
    with pytest.raises(ImageError) as caught:
        decode(with_false_size("HEIF", 1200, 1000, 64), 64)
    assert caught.value.code == ErrorCode.TOO_MANY_PIXELS


def test_the_canvas_of_a_webp_counts_before_it_is_opened():
    data = bytearray(encode(Image.new("RGBA", (64, 64), (1, 2, 3, 4)), "WEBP", save_all=True, duration=5, loop=1))
    if data[12:16] != b"VP8X":
        pytest.skip("written without a canvas")
    data[24:30] = (9999).to_bytes(3, "little") * 2
    assert refusal(bytes(data)) == "A canvas of 10,000 x 10,000 pixels"


def test_more_than_178_million_pixels_may_be_allowed():
    data = encode(Image.new("1", (15_000, 12_000)), "PNG")
    assert decode(data, 16, max_pixels=180_000_000).warning is None
