"""Loading a JPEG 2000. Of colours with more than 8 bits Pillow keeps the high ones alone.

So a picture that uses 10 or 12 of 16 bits would come out black, and is refused: nothing of it is left.
"""

import numpy as np

from core.base.errors import ErrorCode, ImageError
from core.decoding.limits import check_opened
from core.decoding.loading.picture import Picture
from core.decoding.opening import open_image
from core.decoding.ranges import uses_a_quarter

_SIZES = b"\xff\x4f\xff\x51"  # the beginning of the codestream; source: ITU-T T.800, section A.5.1 (SIZ)
_DEPTH_AT = 42


def load_jpeg2000(data: bytes, max_pixels: int) -> Picture:
    """Load a JPEG 2000.

    Raises:
        ImageError: `too_many_pixels` or `unsupported_format`.
        Exception: Whatever Pillow raises for a broken file.
    """
    image = open_image(data)
    check_opened(image, max_pixels)
    image.load()
    bits = _bits(data)
    if bits > 8 and image.mode in ("RGB", "RGBA", "LA"):
        colours = np.asarray(image)[..., : len(image.mode.rstrip("A"))]
        if not uses_a_quarter(colours):
            raise ImageError(ErrorCode.UNSUPPORTED_FORMAT, f"JPEG 2000 with colours that use few of {bits} bits")
    return Picture(image, *image.size)


def _bits(data: bytes) -> int:
    """Bits of the first component; 0 where the file does not say."""
    at = data.find(_SIZES)
    return (data[at + _DEPTH_AT] & 127) + 1 if 0 <= at < len(data) - _DEPTH_AT else 0
