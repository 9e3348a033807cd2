"""What is read here is what libvips reads: it has its own code for layouts, palettes, alpha and bit depths."""

import struct
from itertools import product

import numpy as np
import pytest
import pyvips
from PIL import Image

from core.base.errors import ImageError
from core.decoding.images import decode_image
from tests.support import pictures

SIDE = 64
IMAGE = pictures.draw(6, size=(96, 80))
GREY, ALPHA = IMAGE.convert("L"), Image.linear_gradient("L").resize((96, 80))

# What differs, and why: libvips has no ranges of its own, knows orientation from EXIF alone, and shows what it calls
# damage only in its log.
DIFFERENT_ON_PURPOSE = {
    "16_bit_binary_pgm.tiff": "32 bits of which 16 are used",
    "16bit.MM.deflate.tif": "10 of 16 bits are used",
    "16bit.deflate.tif": "10 of 16 bits are used",
    "avif__xmp_tags_orientation.avif": "orientation in XMP",
    "exif_imagemagick_orientation.png": "orientation in a text",
    "hopper_unknown_pixel_mode.tif": "32 bits of which 8 are used",
    "pil_sample_cmyk.jpg": "CMYK without a profile, for which libvips supposes that of a press",
    "xmp_tags_orientation.png": "orientation in XMP",
}


def by_vips(data):
    """(SIDE, SIDE, 3) of the picture by libvips, as real numbers."""
    image = pyvips.Image.new_from_buffer(data, "", fail_on="error").autorot()
    if image.get_typeof("icc-profile-data"):
        image = image.icc_transform("srgb")
    image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    pixels = image.cast("uchar").numpy()
    pixels = (
        pixels
        if pixels.ndim == 3 and pixels.shape[2] >= 3
        else np.repeat(pixels.reshape(*pixels.shape[:2], -1)[..., :1], 3, 2)
    )
    small = Image.fromarray(np.ascontiguousarray(pixels[..., :3])).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small).astype(float)


def difference(data):
    return np.abs(decode_image(data, SIDE) - by_vips(data)).mean()


def drawn():
    """Pictures in all variants that Pillow writes, by name."""
    modes = {"1": GREY.convert("1"), "L": GREY, "P": IMAGE.quantize(200), "RGB": IMAGE}
    modes |= {"LA": Image.merge("LA", (GREY, ALPHA)), "RGBA": Image.merge("RGBA", (*IMAGE.split(), ALPHA))}
    files = {}
    for mode, compression in product(
        modes, ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group3", "group4")
    ):
        if (compression != "jpeg" or mode in ("L", "RGB")) and (not compression.startswith("group") or mode == "1"):
            files[f"TIFF {mode} {compression}"] = pictures.encode(modes[mode], "TIFF", compression=compression)
    for mode in ("1", "L", "P", "RGB", "LA", "RGBA"):
        files[f"PNG {mode}"] = pictures.encode(modes[mode], "PNG")
    for bits in (1, 2, 4):
        files[f"PNG of {2**bits} colours"] = pictures.encode(IMAGE.quantize(2**bits), "PNG", bits=bits)
    for mode in ("L", "RGB", "RGBA"):
        files[f"WebP {mode}"] = pictures.encode(modes[mode], "WEBP", quality=90)
        files[f"WebP lossless {mode}"] = pictures.encode(modes[mode], "WEBP", lossless=True)
        files[f"AVIF {mode}"] = pictures.encode(modes[mode], "AVIF", quality=90)
    for subsampling, progressive in product(("4:4:4", "4:2:2", "4:2:0"), (False, True)):
        options = {"subsampling": subsampling, "progressive": progressive, "quality": 92}
        files[f"JPEG {subsampling} {progressive}"] = pictures.encode(IMAGE, "JPEG", **options)
    files["JPEG grey"] = pictures.encode(GREY, "JPEG")
    files["JPEG of RGB"] = pictures.encode(IMAGE, "JPEG", keep_rgb=True)
    others = {"save_all": True, "append_images": [Image.new("RGB", IMAGE.size, "red")]}
    for format in ("WEBP", "GIF", "PNG", "TIFF"):
        files[f"{format} of two pictures"] = pictures.encode(modes["P" if format == "GIF" else "RGB"], format, **others)
    for interlace in (0, 1):
        files[f"GIF {interlace}"] = pictures.encode(modes["P"], "GIF", interlace=interlace)
    return files


def run_length_bmp(image, bits):
    """A BMP of runs, each of one pixel."""
    rows, palette = np.asarray(image)[::-1], image.getpalette("BGRX")
    twice = 17 if bits == 4 else 1
    data = b"".join(b"".join(bytes((1, value * twice)) for value in row) + b"\0\0" for row in rows.tolist()) + b"\0\1"
    n_colours, offset = len(palette) // 4, 54 + len(palette)
    head = struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset)
    info = (40, *image.size, 1, bits, 2 if bits == 4 else 1, len(data), 0, 0, n_colours, n_colours)
    return head + struct.pack("<IiiHHIIiiII", *info) + bytes(palette) + data


@pytest.mark.parametrize("bits", [4, 8])
def test_a_bmp_of_runs_shows_its_picture(bits):
    """libvips leaves these to ImageMagick."""
    image = IMAGE.quantize(2**bits)
    expected = decode_image(pictures.encode(image.convert("RGB"), "PNG"), SIDE)
    assert (decode_image(run_length_bmp(image, bits), SIDE) == expected).all()


@pytest.mark.parametrize("name", drawn())
def test_a_drawn_picture_is_read_as_an_independent_decoder_reads_it(name):
    assert difference(drawn()[name]) < 3


@pytest.mark.parametrize(("n_samples", "interlace"), list(product((1, 2, 3, 4), (False, True))))
def test_a_png_of_16_bits_written_by_libvips_is_read_right(n_samples, interlace):
    bands = {1: GREY, 2: Image.merge("LA", (GREY, ALPHA)), 3: IMAGE, 4: Image.merge("RGBA", (*IMAGE.split(), ALPHA))}
    values = np.asarray(bands[n_samples]).reshape(80, 96, n_samples).astype(np.uint16) * 257
    image = pyvips.Image.new_from_array(values).copy(interpretation="rgb16" if n_samples > 2 else "grey16")
    assert difference(image.pngsave_buffer(bitdepth=16, interlace=interlace)) < 3


def test_odd_pictures_are_the_same_for_an_independent_decoder():
    others = {}
    for path in sorted((pictures.test_data() / "odd-images").iterdir()):
        data = path.read_bytes()
        try:
            found = difference(data)
        except (ImageError, pyvips.Error):
            continue
        if found > 10 and path.name not in DIFFERENT_ON_PURPOSE:
            others[path.name] = round(found, 1)
    assert not others
