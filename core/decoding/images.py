"""Bytes to pixels: the one place where pictures are decoded, for training, inference and thumbnails.

    bytes ─► limits ─► open (listed formats) ─► load (JPEG: reduced) ─► resize, 8 bits, white ground ─► upright
             limits.py opening.py               loading                 values.py                       orientation.py

Every fault of the bytes becomes an ImageError with one code (faults.py); no other exception leaves this module. It
imports only small modules of `core.base` and `core.formats`, so that the decoder's child process stays small.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.base.errors import ImageWarning
from core.decoding.decoded import Decoded
from core.decoding.faults import explain, image_error
from core.decoding.limits import MAX_PIXELS
from core.decoding.loading.files import load
from core.decoding.loading.picture import Size
from core.decoding.opening import Buffer
from core.decoding.orientation import find_turn
from core.decoding.rgb import flatten

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
        image, warning = _read(data, lambda _width, _height: (side_px, side_px), max_pixels)
        return Decoded(np.asarray(image), warning)
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


def make_thumbnail(data: Buffer, size_px: int, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Encode a small upright JPEG of a picture, without any of its metadata.

    Args:
        data: The file's bytes.
        size_px: Length of the longer side; the proportions are kept, and a smaller picture keeps its size.
        max_pixels: Largest number of pixels that are decoded.
    Returns:
        A JPEG file.
    Raises:
        ImageError: As for `decode`.
    """

    def size_of(width: int, height: int) -> tuple[int, int]:
        return _fit(width, height, min(size_px, max(width, height)))

    try:
        out = io.BytesIO()
        _read(data, size_of, max_pixels)[0].save(out, "JPEG", quality=_JPEG_QUALITY)
        return out.getvalue()
    except Exception as error:
        fault = explain(error, data)
    raise image_error(*fault)


def _read(data: Buffer, size_of: Size, max_pixels: int) -> tuple[Image.Image, ImageWarning | None]:
    """Load, resize, flatten and turn, in the order that costs least."""
    picture = load(bytes(data), size_of, max_pixels)
    small = flatten(picture.image, size_of(picture.width, picture.height))
    turn = find_turn(picture.image)
    return small if turn is None else small.transpose(turn), picture.warning


def _fit(width: int, height: int, longest_px: int) -> tuple[int, int]:
    scale = longest_px / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
