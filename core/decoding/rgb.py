"""Pixels of any kind to 8-bit RGB on a white ground, at the size that was asked for.

numbers ─► their range ─► 8 bits;   alpha ─► laid on white;   other colours ─► RGB;   profile ─► sRGB
"""

import numpy as np
from PIL import Image

from core.decoding.colours import to_srgb
from core.decoding.ranges import to_8_bits

_FILTER = Image.Resampling.BILINEAR  # antialiased in Pillow, and never brighter or darker than its neighbours
_REDUCING_GAP = 2.0  # large pictures are first averaged down to twice the size: 3 times as fast, no visible change


def flatten(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize to `size` and convert to RGB of sRGB; resizing first keeps the copies small."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(to_8_bits(np.asarray(image)[..., None])[..., 0])
    if image.mode in ("P", "PA") or "transparency" in image.info:
        has_alpha = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if has_alpha else "RGB")
    if image.mode in ("LA", "La", "RGBA", "RGBa"):
        return to_srgb(_lay_on_white(image, size), profile)
    if image.mode not in ("L", "RGB", "YCbCr", "CMYK", "LAB", "RGBX"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    small = image.resize(size, _FILTER, reducing_gap=_REDUCING_GAP)
    if small.mode in ("L", "CMYK"):
        small = to_srgb(small, profile)
    return small.convert("RGB") if small.mode != "RGB" else to_srgb(small, profile)


def _lay_on_white(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Lay a picture with alpha on white, its colours multiplied by alpha before they are averaged."""
    if image.mode in ("LA", "RGBA"):
        image = image.convert(image.mode[:-1] + "a")
    pixels = np.asarray(image.resize(size, _FILTER, reducing_gap=_REDUCING_GAP), dtype=np.uint16)
    white = 255 - pixels[..., -1:]
    colours = np.minimum(pixels[..., :-1] + white, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(colours, (*colours.shape[:2], 3)))
