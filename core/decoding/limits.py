"""What may be decoded: the largest pictures, and how many of the large ones at once."""

import threading
from contextlib import AbstractContextManager, nullcontext

from PIL import Image, JpegImagePlugin

from core.base.errors import ErrorCode, ImageError

MAX_PIXELS = 50_000_000
_LARGE_PIXELS = 16_000_000
_LARGE_ONES_TURN = threading.Lock()  # one at a time: a server has many threads, and each of these takes 0.2 to 0.8 GiB


def check_pixels(image: Image.Image, max_pixels: int) -> None:
    """Refuse a picture that is larger than the limit, before it is decoded.

    Raises:
        ImageError: `too_many_pixels`.
    """
    if image.width * image.height > max_pixels:
        raise ImageError(ErrorCode.TOO_MANY_PIXELS)


def large_ones_turn(image: Image.Image) -> AbstractContextManager[object]:
    """Decode within it: pictures that take hundreds of MiB wait for each other.

    A JPEG that is read line by line and reduced takes little.
    """
    is_reduced = isinstance(image, JpegImagePlugin.JpegImageFile) and not image.info.get("progressive")
    return _LARGE_ONES_TURN if image.width * image.height > _LARGE_PIXELS and not is_reduced else nullcontext()
