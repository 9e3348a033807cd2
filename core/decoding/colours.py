"""Colour profiles: from the colours that a file's profile describes to sRGB, which screens show and networks learned.

Done after resizing, so that it costs little. A profile that is broken, too large or for other colours is left out: a
picture is worth more than the last shade of its colours.
"""

import io
from functools import lru_cache

from PIL import Image, ImageCms

_MAX_BYTES = 4 * 2**20  # those of presses have 0.5 to 3 MB
_SPACES = {"RGB": b"RGB ", "CMYK": b"CMYK", "L": b"GRAY"}  # what an image's mode needs at byte 16 of its profile
_SRGB_NAMES = (b"sRGB IEC61966", b"s\0R\0G\0B\0 \0I\0E\0C", b"\0s\0R\0G\0B\0 \0I\0E\0C")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image to sRGB.

    Args:
        image: RGB, CMYK or L; others are returned as they are.
        profile: An ICC profile; None if the file has none.
    """
    if not profile or len(profile) > _MAX_BYTES or profile[16:20] != _SPACES.get(image.mode):
        return image
    if any(name in profile for name in _SRGB_NAMES):
        return image
    try:
        transform = _transform(profile, image.mode)
        return ImageCms.applyTransform(image, transform) or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


@lru_cache(maxsize=4)  # the pictures of one phone have one profile
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
