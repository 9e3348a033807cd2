"""Loading what Pillow decodes row by row: PNG, GIF, BMP and TIFF.

A decoder that stops early leaves the rest of the image as it was. So an image is decoded over a ground of one colour:
rows that still show it were not read. Usually two marked rows at the end are enough to see that all is there; where it
is not, the image is decoded twice, over black and over white, and rows that come out the same were read.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, GifImagePlugin, Image, ImageFile, PngImagePlugin, TiffImagePlugin

from core.base.errors import ErrorCode, ImageError
from core.decoding.loading.picture import Picture, is_enough, keep_rows
from core.decoding.opening import open_image

Box = tuple[int, int, int, int]

_MARK = (171, 23, 94, 207)  # a colour that rows of pictures rarely have from end to end
_N_MARKED = 2  # in an interlaced image the row that is decoded last is the last or the last but one
_ROWS_AT_ONCE = 256
_FAULTS = (OSError, SyntaxError, ValueError, IndexError, EOFError, struct.error, zlib.error)


def load_rows(image: ImageFile.ImageFile, data: bytes) -> Picture:
    """Load an image that was opened from these bytes, or the part of it that is there.

    Raises:
        ImageError: `truncated`: less than nine tenths of the rows.
        Exception: Whatever the decoder raises where it gives too few rows.
    """
    width, height = image.size
    has_parts = _has_parts(image)
    try:
        is_whole = _load(image)
    except _FAULTS:
        rows = _find_rows(data) if has_parts else (0, 0)
        if not is_enough(rows[1] - rows[0], height):
            raise
    else:
        rows = (0, height) if is_whole else _find_rows(data)
    image.tile = []  # as after loading: what follows uses the pixels that are there
    return Picture(image, width, height) if rows == (0, height) else keep_rows(image, width, height, rows)


def _has_parts(image: ImageFile.ImageFile) -> bool:
    """Whether the rows of an image can be told apart from each other: not where they may come out as columns."""
    return not isinstance(image, TiffImagePlugin.TiffImageFile) or image.tag_v2.get(ExifTags.Base.Orientation, 1) == 1


def _load(image: ImageFile.ImageFile) -> bool:
    """Load an image, and say whether its last rows were read: decoders of these two may stop without an error."""
    if not isinstance(image, (PngImagePlugin.PngImageFile, GifImagePlugin.GifImageFile)) or not image.tile:
        image.load()
        return True
    left, top, right, bottom = image.tile[0].extents or (0, 0, *image.size)
    marked = [(left, row, right, row + 1) for row in range(max(top, bottom - _N_MARKED), bottom)]
    _load_over(image, _MARK, marked)
    ground = Image.new(image.mode, (right - left, 1))
    ground.im.paste(_ink(image.mode, _MARK), (0, 0, *ground.size))
    return not any(image.crop(box).tobytes() == ground.tobytes() for box in marked)


def _find_rows(data: bytes) -> tuple[int, int]:
    """The longest run of rows that are there: the first one, and the one behind the last.

    Raises:
        ImageError: `truncated`: nothing is there.
    """
    black, white = (_load_partly(data, value) for value in (0, 255))
    if black is None or white is None:
        raise ImageError(ErrorCode.TRUNCATED)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], *_equal_rows(black, white), [False])).astype(np.int8)))
    runs: list[list[int]] = edges.reshape(-1, 2).tolist()
    first, end = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return first, end


def _load_partly(data: bytes, value: int) -> Image.Image | None:
    image = open_image(data)
    if not image.tile:
        return None
    extent = image.tile[0].extents if len(image.tile) == 1 else None
    try:
        _load_over(image, (value,) * 4, [extent or (0, 0, *image.size)])
    except _FAULTS:
        if image._im is None:
            return None
    image.tile = []
    return image


def _equal_rows(one: Image.Image, other: Image.Image) -> Iterator[NDArray[np.bool_]]:
    for top in range(0, one.height, _ROWS_AT_ONCE):
        box = (0, top, one.width, min(top + _ROWS_AT_ONCE, one.height))
        equal = np.asarray(one.crop(box)) == np.asarray(other.crop(box))
        yield equal.reshape(len(equal), -1).all(axis=1)


def _load_over(image: ImageFile.ImageFile, colour: tuple[int, ...], boxes: list[Box]) -> None:
    """Decode an image over a ground: what is not read keeps its colour."""
    image.load_prepare()
    for box in boxes:
        image.im.paste(_ink(image.mode, colour), box)
    image.__dict__["load_prepare"] = lambda: None  # it would put another ground there
    image.load()


def _ink(mode: str, colour: tuple[int, ...]) -> int | tuple[int, ...]:
    n_bands = Image.getmodebands(mode)
    return colour[0] if n_bands == 1 else colour[:n_bands]
