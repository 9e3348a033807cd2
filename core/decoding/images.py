"""Bytes to pixels: the one place where pictures are decoded, for training, inference and thumbnails.

    bytes ─► open (listed formats) ─► limits ─► load (JPEG: reduced) ─► resize, 8 bits, white ground ─► upright
             opening.py               limits.py                        values.py                       orientation.py

Every fault of the bytes becomes an ImageError with one code (faults.py); no other exception leaves this module. It
imports only small modules of `core.base` and `core.formats`, so that the decoder's child process stays small.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from core.decoding.decoded import Decoded
from core.decoding.faults import explain, image_error
from core.decoding.limits import MAX_PIXELS, check_pixels, large_ones_turn
from core.decoding.opening import Buffer, open_image
from core.decoding.orientation import find_turn
from core.decoding.values import flatten

_JPEG_QUALITY = 85


def decode(data: Buffer, side_px: int, *, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decode the first frame of a picture, upright, squeezed to a square.

    Args:
        data: The file's bytes.
        side_px: Width and height of the result.
        max_pixels: Largest number of pixels that are decoded.
    Returns:
        Its pixels, (side_px, side_px, 3), transparent areas white; and a warning if a part of the file cannot be read.
    Raises:
        ImageError: The bytes cannot be decoded; its code says why. Nothing else is raised for any bytes.
    """
    try:
        return Decoded(np.asarray(_read(data, side_px, max_pixels, squeeze=True)))
    except Exception as error:
        fault = explain(error, data)
    raise image_error(*fault)


def decode_image(data: Buffer, side_px: int, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode the first frame of a picture, upright, squeezed to a square: `decode` without its warning.

    Args:
        data: The file's bytes.
        side_px: Width and height of the result.
        max_pixels: Largest number of pixels that are decoded.
    Returns:
        uint8 (side_px, side_px, 3), rows from the top, RGB, 0 to 255; transparent areas are white.
    Raises:
        ImageError: As for `decode`.
    """
    return decode(data, side_px, max_pixels=max_pixels).pixels


def make_thumbnail(data: Buffer, size_px: int, *, max_pixels: int = MAX_PIXELS, enlarge: bool = True) -> bytes:
    """Encode a small upright JPEG of a picture, without any of its metadata.

    Args:
        data: The file's bytes.
        size_px: Length of the longer side; the proportions are kept.
        max_pixels: Largest number of pixels that are decoded.
        enlarge: Whether a picture that is smaller is enlarged.
    Returns:
        A JPEG file.
    Raises:
        ImageError: As for `decode`.
    """
    try:
        out = io.BytesIO()
        _read(data, size_px, max_pixels, squeeze=False, enlarge=enlarge).save(out, "JPEG", quality=_JPEG_QUALITY)
        return out.getvalue()
    except Exception as error:
        fault = explain(error, data)
    raise image_error(*fault)


def _read(data: Buffer, side_px: int, max_pixels: int, *, squeeze: bool, enlarge: bool = True) -> Image.Image:
    """Open, load, resize, flatten and turn, in the order that costs least."""
    image = open_image(data)
    check_pixels(image, max_pixels)
    longest_px = side_px if enlarge else min(side_px, max(image.size))
    size = (side_px, side_px) if squeeze else _fit(*image.size, longest_px)
    turns = large_ones_turn(image)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft(None, size)  # libjpeg scales by 1/2, 1/4 or 1/8 while it decodes, never below `size`
    with turns:
        image.load()
        small = flatten(image, size)
    turn = find_turn(image)
    return small if turn is None else small.transpose(turn)


def _fit(width: int, height: int, longest_px: int) -> tuple[int, int]:
    scale = longest_px / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
