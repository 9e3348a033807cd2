"""Pixels of any kind to 8-bit RGB on a white ground, at the size that was asked for.

greys of 16 or 32 bits ─► their range ─► 8 bits;   alpha ─► laid on white;   other colours ─► RGB
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FILTER = Image.Resampling.BILINEAR  # antialiased in Pillow, and never brighter or darker than its neighbours
_REDUCING_GAP = 2.0  # large pictures are first averaged down to twice the size: 3 times as fast, no visible change
_BITS_PER_SAMPLE = 258  # TIFF tag


def flatten(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize to `size` and convert to RGB; resizing first keeps the copies small."""
    if image.mode.startswith(("I", "F")):
        return _flatten_numbers(image, size)
    if image.mode in ("P", "PA") or "transparency" in image.info:
        has_alpha = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if has_alpha else "RGB")
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        return _lay_on_white(image, size)
    if image.mode not in ("L", "RGB", "YCbCr", "CMYK", "LAB", "RGBX"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    small = image.resize(size, _FILTER, reducing_gap=_REDUCING_GAP)
    return small if small.mode == "RGB" else small.convert("RGB")


def _lay_on_white(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Lay a picture with alpha on white, its colours multiplied by alpha before they are averaged."""
    if image.mode in ("LA", "RGBA"):
        image = image.convert(image.mode[:-1] + "a")
    pixels = np.asarray(image.resize(size, _FILTER, reducing_gap=_REDUCING_GAP), dtype=np.uint16)
    white = 255 - pixels[..., -1:]
    colours = np.minimum(pixels[..., :-1] + white, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(colours, (*colours.shape[:2], 3)))


def _flatten_numbers(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Scale grey values of 16 or 32 bits, or real numbers, to 8 bits."""
    bits = _bits(image) if image.mode.startswith("I;16") else 0
    if image.mode not in ("I;16", "I", "F"):
        image = image.convert("I")
    values = np.nan_to_num(np.asarray(image.resize(size, _FILTER), dtype=np.float64))
    low, high = (0.0, 2.0**bits - 1) if bits else _span(values, has_fractions=image.mode == "F")
    shares = np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0)
    return Image.fromarray(np.rint(shares * 255).astype(np.uint8)).convert("RGB")


def _bits(image: Image.Image) -> int:
    """How many bits hold a 16-bit grey value: 16, or what a TIFF of a camera with fewer says."""
    tags: Any = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    return int(bits) if 8 < bits < 16 else 16


def _span(values: NDArray[np.float64], *, has_fractions: bool) -> tuple[float, float]:
    """Black and white of grey values whose format does not name them: the smallest usual range that holds them."""
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        for white in (1.0, 255.0, 65535.0) if has_fractions else (255.0, 65535.0):
            if high <= white:
                return 0.0, white
    return low, high
