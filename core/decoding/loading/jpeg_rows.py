"""How many rows of a JPEG are there, when its end is not.

The units that count are MCUs, the smallest that all components complete. Nothing is decoded here that libjpeg does not
decode: the data is continued in several ways, and what comes out the same each time was in the file.

- One scan: a decoder that waits for more has given all rows that it could; the row of MCUs in which the data ends is
  compared with what comes of other data behind the end.
- Several scans (progressive): a row is there once it has the mean of each block in all components, and the first five
  coefficients of the first one, which are the picture at a third of its resolution. What later scans lack are details.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.decoding.opening import open_image
from core.decoding.structure.jpeg import JpegStructure, Scan

END_MARK = b"\xff\xd9"
_NOISE = bytes(range(254, 0, -1)) * 4
_OTHER_DATA = _NOISE + b"".join(b"\xff" + bytes((0xD0 + n,)) + _NOISE for n in range(8))  # behind any restart marker
_NEEDED_OF_FIRST = frozenset(range(6))
_BLOCK = 8
_OVERLAP = 2  # pixels by which smooth upsampling of colours reaches into the rows above


class RowCount(NamedTuple):
    """How many rows are there, and whether that is all of the picture, but for a few MCUs in its last corner."""

    n: int
    is_all: bool


def count_rows(body: bytes, structure: JpegStructure) -> RowCount:
    """Count the rows of a JPEG that are there.

    Args:
        body: The file up to the end of its data, without an end mark.
        structure: Of this file.
    """
    if not structure.is_buffered:
        return _count_mcus(structure, _mcus_of_one_scan(body, structure))
    if not _has_needed(structure, structure.scans):
        return RowCount(0, is_all=False)
    of_last_scan = _count_mcus(structure, _common_mcus(body, structure, reduction=1))
    n = structure.height if _has_needed(structure, structure.scans[:-1]) else of_last_scan.n
    return RowCount(n, is_all=of_last_scan.is_all and _has_everything(structure, structure.scans))


def _has_needed(structure: JpegStructure, scans: tuple[Scan, ...]) -> bool:
    come = {
        (component, coefficient)
        for scan in scans
        if scan.is_first_pass
        for component in scan.components
        for coefficient in range(scan.first, scan.last + 1)
    }
    means = {(component, 0) for component in range(len(structure.components))}
    return means | {(0, coefficient) for coefficient in _NEEDED_OF_FIRST} <= come


def _has_everything(structure: JpegStructure, scans: tuple[Scan, ...]) -> bool:
    come = {
        (component, coefficient)
        for scan in scans
        if scan.low_bit == 0
        for component in scan.components
        for coefficient in range(scan.first, scan.last + 1)
    }
    return len(come) >= len(structure.components) * _BLOCK**2


def _count_mcus(structure: JpegStructure, n_mcus: int) -> RowCount:
    columns, rows = _grid(structure)
    n = columns * rows
    in_a_corner = max(n // 200, 2 if n >= 40 else 1 if n >= 8 else 0)
    if n - n_mcus <= in_a_corner:
        return RowCount(structure.height, is_all=True)
    return RowCount(min(structure.height, n_mcus // columns * structure.mcu_size[1]), is_all=False)


def _grid(structure: JpegStructure) -> tuple[int, int]:
    """The number of MCUs across and down."""
    width, height = structure.mcu_size
    return -(-structure.width // width), -(-structure.height // height)


def _mcus_of_one_scan(body: bytes, structure: JpegStructure) -> int:
    """How many MCUs are there, row by row from the top left."""
    columns, rows = _grid(structure)
    reduction = next(r for r in (8, 4, 2, 1) if r <= min(structure.width, structure.height))
    if structure.is_arithmetic:  # libjpeg cannot wait for more of such data
        return _common_mcus(body, structure, reduction)
    ended, stopped = _decode(body + END_MARK, reduction), _decode(body, reduction)
    n_complete = _common_rows(ended, stopped) * reduction // structure.mcu_size[1]
    if n_complete < rows - 1:
        return n_complete * columns
    return max(n_complete * columns, _common_mcus(body, structure, reduction))


def _common_mcus(body: bytes, structure: JpegStructure, reduction: int) -> int:
    """How many MCUs come out the same, whether the data ends or goes on in another way."""
    columns, rows = _grid(structure)
    ended = _decode(body + END_MARK, reduction)
    continued = _decode(body + (b"\0" if body.endswith(b"\xff") else b"") + _OTHER_DATA + END_MARK, reduction)
    row = _common_rows(ended, continued)
    if row == len(ended):
        return columns * rows
    overlap = _OVERLAP if reduction == 1 else 0
    mcu_width, mcu_height = (max(1, side // reduction) for side in structure.mcu_size)
    mcu_row = (row + overlap) // mcu_height
    band = slice(mcu_row * mcu_height, (mcu_row + 1) * mcu_height)
    column = _common_rows(ended[band].swapaxes(0, 1), continued[band].swapaxes(0, 1))
    return mcu_row * columns + min(columns, (column + overlap) // mcu_width)


def _common_rows(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """How many rows are equal before the first one that is not."""
    differ = (one != other).reshape(len(one), -1).any(axis=1)
    return int(differ.argmax()) if differ.any() else len(one)


def _decode(data: bytes, reduction: int) -> NDArray[np.uint8]:
    """The pixels that come of this data, black where the decoder waited for more."""
    image = open_image(data)
    if reduction > 1:
        image.draft(None, (image.width // reduction, image.height // reduction))
    try:
        image.load()
    except OSError:
        image.tile = []
    return np.asarray(image)
