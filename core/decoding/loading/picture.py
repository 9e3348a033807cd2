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
        image: Loaded. Rows that could not be read repeat the nearest one that could.
        width: In pixels of the file.
        height: In pixels of the file.
        warning: Set if rows are repeated.
    """

    image: Image.Image
    width: int
    height: int
    warning: ImageWarning | None = None


def is_enough(n_rows: int, height: int) -> bool:
    """Whether so many rows of a picture are enough to label it."""
    return n_rows >= ENOUGH * height


def keep_rows(image: Image.Image, width: int, height: int, rows: tuple[int, int]) -> Picture:
    """A picture of which some rows could be read, the others filled with the nearest of them.

    Args:
        image: Loaded, perhaps reduced. It is changed.
        width: Of the picture in pixels of the file.
        height: Of the picture in pixels of the file.
        rows: The first row that could be read, and the one behind the last, in pixels of the file.
    Raises:
        ImageError: `truncated`: they are too few.
    """
    if not is_enough(rows[1] - rows[0], height):
        raise ImageError(ErrorCode.TRUNCATED)
    first, end = -(-rows[0] * image.height // height), rows[1] * image.height // height
    _repeat(image, first, (0, first))
    _repeat(image, end - 1, (end, image.height))
    return Picture(image, width, height, ImageWarning.PARTLY_READABLE)


def _repeat(image: Image.Image, row: int, rows: tuple[int, int]) -> None:
    if rows[0] < rows[1]:
        strip = image.crop((0, row, image.width, row + 1))
        image.paste(strip.resize((image.width, rows[1] - rows[0]), Image.Resampling.NEAREST), (0, rows[0]))
