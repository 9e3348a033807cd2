"""Decode a tiny picture of each format, so that every library is loaded before files can no longer be opened."""

import contextlib
import io

from PIL import Image

from core.base.errors import ImageError
from core.base.image_formats import IMAGE_FORMATS
from core.decoding import images

_SIDE_PX = 64  # the smallest that every encoder accepts


def warm_up() -> None:
    """Decode a picture in each format that this build of Pillow can write."""
    picture = Image.new("RGB", (_SIDE_PX, _SIDE_PX), "white")
    for image_format in IMAGE_FORMATS:
        file = io.BytesIO()
        with contextlib.suppress(OSError, KeyError, ValueError, RuntimeError, ImageError):
            picture.save(file, image_format.pillow_name)
            images.decode(file.getvalue(), 8)
            images.decode(file.getvalue()[:-9], 8)  # what reads damaged files, too
    images.make_thumbnail(_png(picture), 8)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
