"""Pictures made for harm: each asks for much memory, or for much time, from whoever decodes it carelessly."""

import io
from functools import cache

import numpy as np
from PIL import Image

from tests.support.damaged import many_scans, tiff_with_large_tile, tiff_with_many_strips, with_false_size
from tests.support.pictures import encode

LARGE = (7000, 7000)  # just within the limit of 50 megapixels
MAX_BYTES = 64 * 2**20


@cache
def beyond_limits() -> dict[str, bytes]:
    """Small files that are refused before they are decoded, by name."""
    return {
        "scans.jpg": many_scans((4000, 4000), 500),
        "tile.tif": tiff_with_large_tile(24_500),
        "false_size.avif": with_false_size("AVIF", 7200, 7200, 64),
        "strips.tif": tiff_with_many_strips(2**18 + 1),
    }


@cache
def within_limits() -> dict[str, bytes]:
    """Small files that are decoded, and take long or much memory, by name."""
    flat = Image.new("RGB", LARGE)
    return {
        "scans.jpg": many_scans((4000, 4000), 190),
        "tile.tif": tiff_with_large_tile(7000),
        "strips.tif": tiff_with_many_strips(2**17),
        "flat.webp": encode(flat, "WEBP", lossless=True, quality=0, method=0),
        "flat.png": encode(flat, "PNG"),
        "flat.gif": encode(flat.convert("P"), "GIF"),
        "flat.tif": encode(flat, "TIFF", compression="tiff_adobe_deflate"),
    }


@cache
def of_many_bytes() -> bytes:
    """A picture as large as a file may be, which is decoded quickly."""
    noise = np.random.default_rng(0).integers(0, 256, (4700, 4700, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "BMP")
    assert MAX_BYTES * 0.9 < out.tell() <= MAX_BYTES
    return out.getvalue()
