"""Loading a WebP, also one that is shorter or longer than it says.

Its decoder takes whole files only. So one that ends too early is filled up, in two ways: rows that come out the same
were in the file.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_opened
from core.decoding.loading.picture import Picture, keep_rows
from core.decoding.opening import open_image
from core.decoding.structure import webp

_MOST_MISSING = 0.25  # of the file's bytes: with more missing, nine tenths of the rows cannot be there
_CORNER = 1 / 200  # of the pixels, in the last rows: nobody sees that they are missing
_MACROBLOCK = 16


def load_webp(data: bytes, max_pixels: int) -> Picture:
    """Load a WebP or most of it.

    Raises:
        ImageError: `truncated` or `too_many_pixels`.
        Exception: Whatever Pillow raises for a broken file.
    """
    try:
        image = _load(data, max_pixels)
    except (OSError, SyntaxError, ValueError):
        return _load_rest(data, max_pixels)
    return Picture(image, *image.size)


def _load_rest(data: bytes, max_pixels: int) -> Picture:
    if webp.n_bytes_missing(data) > _MOST_MISSING * len(data):
        raise ImageError(ErrorCode.TRUNCATED)
    image = _load(webp.close(data, 0), max_pixels)
    if not webp.n_bytes_missing(data):
        return Picture(image, *image.size)
    differ = np.asarray(image) != np.asarray(_load(webp.close(data, 0b01010101), max_pixels))
    rows = _rows_before(differ)
    if rows >= image.height - _MACROBLOCK and differ.any(axis=2).mean() <= _CORNER:
        return Picture(image, *image.size)
    return keep_rows(image, *image.size, (0, rows))


def _rows_before(differ: NDArray[np.bool_]) -> int:
    is_different: NDArray[np.bool_] = np.any(differ, axis=(1, 2))
    return int(is_different.argmax()) if is_different.any() else len(differ)


def _load(data: bytes, max_pixels: int) -> Image.Image:
    image = open_image(data)
    check_opened(image, max_pixels)
    image.load()
    return image
