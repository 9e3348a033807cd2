"""Bytes to pixels: every format, every oddity, every fault."""

import contextlib
import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.base.errors import ErrorCode, ImageError
from core.decoding.images import decode_image, make_thumbnail
from tests.support import pictures

RED = (200, 40, 30)


def assert_colour(pixels, colour, tolerance=3):
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels.reshape(-1, 3).mean(axis=0), colour, atol=tolerance)


def decode_failure(data, **options):
    with pytest.raises(ImageError) as caught:
        decode_image(data, 32, **options)
    return caught.value


@pytest.mark.parametrize("format", pictures.FORMATS)
def test_every_format_decodes_to_the_colour_that_was_drawn(format):
    data = pictures.encode(Image.new("RGB", (50, 30), RED), format)
    pixels = decode_image(data, 16)
    assert pixels.shape == (16, 16, 3)
    assert_colour(pixels, RED)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_and_views_decode_alike(kind):
    data = pictures.jpeg(1)
    np.testing.assert_array_equal(decode_image(kind(data), 24), decode_image(data, 24))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_whole_picture_is_squeezed_to_the_square_and_nothing_is_cropped(format):
    image = Image.new("RGB", (300, 60), "white")
    image.paste((0, 0, 0), (0, 0, 150, 60))
    pixels = decode_image(pictures.encode(image, format), 20)
    assert pixels[:, :9].max() < 40
    assert pixels[:, 11:].min() > 215


def test_reduced_decoding_of_a_jpeg_looks_like_decoding_it_whole():
    image = pictures.draw(3, size=(1000, 800))
    whole = image.resize((64, 64), Image.Resampling.BILINEAR)
    difference = np.abs(decode_image(pictures.encode(image, "JPEG", quality=95), 64).astype(int) - np.asarray(whole))
    assert difference.mean() < 3


def test_fine_stripes_become_grey_and_not_stripes_of_another_width():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255
    pixels = decode_image(pictures.encode(Image.fromarray(stripes), "PNG"), 24)
    assert pixels.min() > 90
    assert pixels.max() < 165


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_orientation_of_a_camera_is_applied(format, orientation):
    corners = Image.new("RGB", (64, 48), "white")
    corners.paste((255, 0, 0), (0, 0, 32, 24))
    corners.paste((0, 0, 255), (32, 0, 64, 24))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pictures.encode(corners, format, exif=exif.tobytes())
    pixels = decode_image(data, 8)
    where = {1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left"}
    where |= {5: "top left", 6: "top right", 7: "bottom right", 8: "bottom left"}
    rows = slice(0, 3) if "top" in where[orientation] else slice(5, 8)
    columns = slice(0, 3) if "left" in where[orientation] else slice(5, 8)
    assert_colour(pixels[rows, columns], (255, 0, 0), tolerance=20)
    # The blue corner tells the mirror images apart: beside the red one, or above and below it.
    rows_of_blue, columns_of_blue = (rows, _other(columns)) if orientation < 5 else (_other(rows), columns)
    assert_colour(pixels[rows_of_blue, columns_of_blue], (0, 0, 255), tolerance=20)


def _other(part):
    return slice(5, 8) if part == slice(0, 3) else slice(0, 3)


def test_unreadable_exif_does_not_cost_the_picture():
    data = pictures.encode(Image.new("RGB", (40, 40), RED), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert_colour(decode_image(data, 8), RED)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_transparency_lies_on_white(format):
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 200, 255), (0, 0, 20, 40))
    pixels = decode_image(pictures.encode(image, format), 8)
    assert_colour(pixels[:, :3], (0, 0, 200), tolerance=6)
    assert_colour(pixels[:, 5:], (255, 255, 255))


def test_half_transparent_red_becomes_pink():
    data = pictures.encode(Image.new("RGBA", (30, 30), (255, 0, 0, 128)), "PNG")
    assert_colour(decode_image(data, 8), (255, 127, 127), tolerance=1)


def test_grey_with_alpha_lies_on_white():
    data = pictures.encode(Image.new("LA", (30, 30), (0, 51)), "PNG")
    assert_colour(decode_image(data, 8), (204, 204, 204), tolerance=1)


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_transparent_palette_colour_lies_on_white(format):
    image = Image.new("P", (30, 30), 1)
    image.putpalette([10, 10, 10, 20, 200, 20])
    image.paste(0, (0, 0, 15, 30))
    pixels = decode_image(pictures.encode(image, format, transparency=0), 10)
    assert_colour(pixels[:, :4], (255, 255, 255))
    assert_colour(pixels[:, 6:], (20, 200, 20))


def test_a_transparent_key_colour_lies_on_white():
    data = pictures.encode(Image.new("RGB", (20, 20), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert_colour(decode_image(data, 8), (255, 255, 255))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(format):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    pixels = decode_image(pictures.encode(Image.fromarray(ramp), format), 64)
    np.testing.assert_allclose(pixels[0, :, 1], np.linspace(0, 255, 64), atol=1.5)


def test_a_sixteen_bit_colour_png_keeps_its_colours():
    data = pictures.png_of_16_bits(np.full((6, 6, 3), (50000, 10000, 30000), np.uint16))
    assert_colour(decode_image(data, 6), (195, 39, 117), tolerance=1)


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_real_numbers_are_scaled_by_the_smallest_usual_range_that_holds_them(top):
    ramp = np.tile(np.linspace(0, top, 32).astype(np.float32), (32, 1))
    pixels = decode_image(pictures.encode(Image.fromarray(ramp), "TIFF"), 32)
    np.testing.assert_allclose(pixels[0, :, 0], np.linspace(0, 255, 32), atol=1)


def test_numbers_below_zero_are_stretched_from_their_least_to_their_greatest():
    ramp = np.tile(np.linspace(-400, 300, 32).astype(np.int32), (32, 1))
    pixels = decode_image(pictures.encode(Image.fromarray(ramp), "TIFF"), 32)
    np.testing.assert_allclose(pixels[0, :, 2], np.linspace(0, 255, 32), atol=1)


def test_real_numbers_that_are_none_do_not_matter():
    values = np.full((16, 16), 0.5, np.float32)
    values[0, 0] = np.nan
    pixels = decode_image(pictures.encode(Image.fromarray(values), "TIFF"), 16)
    assert_colour(pixels[4:], (128, 128, 128))


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "YCbCr"])
def test_other_colour_spaces_are_converted(mode):
    image = Image.new("RGB", (32, 32), (255, 255, 255)).convert(mode)
    format = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    assert_colour(decode_image(pictures.encode(image, format), 8), (255, 255, 255))


def test_lab_is_converted():
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    image = ImageCms.applyTransform(Image.new("RGB", (32, 32), RED), to_lab)
    assert_colour(decode_image(pictures.encode(image, "TIFF"), 8), RED, tolerance=6)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "AVIF", "PNG"])
def test_of_an_animation_the_first_frame_counts(format):
    frames = [Image.new("RGB", (24, 24), colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]
    data = pictures.encode(frames[0], format, save_all=True, append_images=frames[1:])
    assert_colour(decode_image(data, 8), RED, tolerance=5)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_tiny_and_thin_pictures_decode(size):
    for mode in ("RGB", "RGBA", "P", "L", "1", "I;16"):
        data = pictures.encode(Image.new(mode, size), "PNG")
        assert decode_image(data, 32).shape == (32, 32, 3)
        assert Image.open(io.BytesIO(make_thumbnail(data, 128))).format == "JPEG"


@pytest.mark.parametrize("name", pictures.broken_files())
def test_a_broken_file_ends_with_its_code_and_a_sentence(name):
    data, code = pictures.broken_files()[name]
    for read in (decode_image, make_thumbnail):
        with pytest.raises(ImageError) as caught:
            read(data, 64)
        assert caught.value.code == code
        assert str(caught.value) == code.explain(caught.value.detail)


OTHER_FORMATS = {
    "ico": b"\0\0\x01\0\x01\0",
    "dds": b"DDS |\0\0\0",
    "ppm": b"P6\n4 4\n255\n",
    "qoi": b"qoif\0\0\0\x04",
    "icns": b"icns\0\0\1\0",
    "jxl": b"\0\0\0\x0cJXL \r\n\x87\n",
    "svg": b"<?xml version='1.0'?>\n<svg>",
}


@pytest.mark.parametrize("head", OTHER_FORMATS.values(), ids=OTHER_FORMATS)
def test_pictures_of_another_format_are_called_unsupported(head):
    assert decode_failure(head + bytes(100)).code == ErrorCode.UNSUPPORTED_FORMAT


def test_a_targa_file_is_known_by_its_end():
    data = pictures.encode(pictures.draw(1), "TGA")
    assert decode_failure(data).code == ErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    "data", [b"\0", b"\0" * 1000, b"MZ\x90\0", b"PK\x03\x04" + bytes(50), b"\0\0\0\x18ftypmp42" + bytes(80), b"GIF"]
)
def test_what_is_no_picture_is_called_so(data):
    assert decode_failure(data).code == ErrorCode.NOT_AN_IMAGE


def test_the_limit_on_pixels_is_checked_before_decoding():
    data = pictures.encode(Image.new("L", (5000, 4000)), "PNG")
    tracemalloc.start()
    try:
        error = decode_failure(data, max_pixels=5000 * 4000 - 1)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert error.code == ErrorCode.TOO_MANY_PIXELS
    assert decode_image(data, 8, max_pixels=5000 * 4000).shape == (8, 8, 3)


def test_an_error_keeps_the_decoders_words_for_the_log_but_no_frames():
    error = decode_failure(pictures.broken_files()["half.png"][0])
    assert error.__notes__
    assert error.__context__ is None


@pytest.mark.parametrize("format", pictures.FORMATS)
def test_whatever_the_bytes_are_only_an_image_error_comes_out(format):
    rng = np.random.default_rng(7)
    whole = pictures.encode(pictures.draw(0, size=(48, 36)), format)
    for _ in range(120):
        data = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.integers(1, 12)):
            data[rng.integers(len(data))] = rng.integers(256)
        with contextlib.suppress(ImageError):
            assert decode_image(data, 16).shape == (16, 16, 3)


@pytest.mark.parametrize(("size", "expected"), [((400, 200), (128, 64)), ((90, 360), (32, 128)), ((16, 16), (16, 16))])
def test_a_thumbnail_keeps_the_proportions(size, expected):
    thumbnail = Image.open(io.BytesIO(make_thumbnail(pictures.jpeg(2, size=size), 128)))
    assert thumbnail.size == expected
    assert thumbnail.format == "JPEG"


def test_a_thumbnail_is_upright_and_says_nothing_of_place_and_camera():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera's maker"
    data = pictures.encode(Image.new("RGB", (200, 100), RED), "JPEG", exif=exif)
    thumbnail = Image.open(io.BytesIO(make_thumbnail(data, 100)))
    assert thumbnail.size == (50, 100)
    assert not thumbnail.getexif()


def test_the_odd_pictures_of_the_world_decode_or_end_with_a_code():
    folder = pictures.test_data() / "odd-images"
    codes = [_outcome(path) for path in sorted(folder.iterdir())]
    assert codes.count(None) >= 195


def _outcome(path: Path) -> ErrorCode | None:
    try:
        assert decode_image(path.read_bytes(), 64).shape == (64, 64, 3)
    except ImageError as error:
        return error.code
    return None
