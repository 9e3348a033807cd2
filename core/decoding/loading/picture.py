"""A loaded picture, and the decision whether enough of it is there."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from PIL import Image

from core.base.errors import ErrorCode, ImageError, ImageWarning

Size: TypeAlias = Callable[[int, int], tuple[int, int]]  # from width and height of a picture to those wanted

ENOUGH = 0.9  # of the rows: with fewer, the label could be about another picture than its owner has


class Picture(NamedTuple):
    """Pixels of a picture as Pillow has them: not upright yet, and perhaps reduced.

    Attributes:
        image: Loaded; without the rows that could not be read.
        width: In pixels of the file.
        height: In pixels of the file, of the part that could be read.
        warning: Set if that is not all.
    """

    image: Image.Image
    width: int
    height: int
    warning: ImageWarning | None = None


def is_enough(n_rows: int, height: int) -> bool:
    """Whether so many rows of a picture are enough to label it."""
    return n_rows >= ENOUGH * height


def keep_rows(image: Image.Image, height: int, rows: tuple[int, int]) -> Picture:
    """A loaded picture cut down to the rows that could be read.

    Args:
        image: Loaded, perhaps reduced. It is changed.
        height: Of the picture in pixels of the file.
        rows: The first row that could be read, and the one behind the last, in pixels of the file.
    Raises:
        ImageError: `truncated`: they are too few.
    """
    first, end = rows
    if not is_enough(end - first, height):
        raise ImageError(ErrorCode.TRUNCATED)
    width_of_file = round(image.width * height / image.height)
    box = (0, -(-first * image.height // height), image.width, end * image.height // height)
    image.im = image.im.crop(box)
    image._size = image.im.size
    return Picture(image, width_of_file, end - first, ImageWarning.PARTLY_READABLE)
