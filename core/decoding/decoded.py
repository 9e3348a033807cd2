"""What a decoder returns for one image: its pixels, and a warning if a part of it is missing.

`DECODING` is the number of the rules by which bytes become pixels. It goes up when the same bytes give other pixels, so
that results, features and versions of another number can be told apart and made again.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.base.errors import ImageWarning

DECODING = 2


class Decoded(NamedTuple):
    """One decoded image.

    Attributes:
        pixels: uint8 (side, side, 3), rows from the top, RGB, 0 to 255.
        warning: What its owner should know; None if all of it was read.
    """

    pixels: NDArray[np.uint8]
    warning: ImageWarning | None = None
