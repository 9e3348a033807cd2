"""Numbers of more than 8 bits to 8 bits: what is black in a picture, and what is white.

A sensor of 10, 12 or 14 bits is often kept in 16, so the format's own range would make its pictures black. The range is

1. the one that the file names (sBIT of PNG, MaxSampleValue of TIFF), if the picture lies in it;
2. the format's own, if the picture reaches a quarter of it: such pictures stay as they are;
3. the smallest number of bits that holds the picture, from 8 to 14 (to 15 where one bit is the sign);
4. from its darkest to its brightest value, where these lie close together and far from zero, as in thermal pictures.

A dark picture of 16 bits cannot be told from one of 14, and is made brighter by the third rule.
Darkest and brightest are what one value in a thousand passes, so that no hot pixel decides.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]

_TAIL = 0.1  # percent of the values at either end that do not decide
_N_MEASURED = 1_000_000  # values at most: more say the same
_ROWS_AT_ONCE = 128
_QUARTER = 64  # of the 256 values of a byte
_LEAST_LEVELS = 16  # values closer together than this are one plain area, which keeps its grey
_CLOSE = 1 / 8  # of the range: as if a picture of 8 bits had 32 greys


class Range(NamedTuple):
    """The values that are shown as black and as white."""

    low: float
    high: float


def to_8_bits(values: Values, said: Range | None = None, n_colours: int | None = None) -> NDArray[np.uint8]:
    """Map the values of a picture to 0..255 by one range for all its colours.

    Args:
        values: (rows, columns, samples), any integers or real numbers; NaN becomes black.
        said: The range that the file names.
        n_colours: How many of the samples are colours; what follows is alpha. All, if None.
    Returns:
        uint8 of the same shape.
    """
    colours = values[..., :n_colours]
    range_ = find_range(colours, said)
    mapped = np.empty(values.shape, np.uint8)
    mapped[..., :n_colours] = _map(colours, range_)
    if n_colours is not None and n_colours < values.shape[-1]:
        alpha = values[..., n_colours:]
        mapped[..., n_colours:] = _map(alpha, _range_of_alpha(alpha, range_, is_said=range_ == said))
    return mapped


def find_range(values: Values, said: Range | None = None) -> Range:
    """Choose black and white of a picture by the rules above.

    Args:
        values: (rows, columns, samples), any integers or real numbers.
        said: The range that the file names.
    """
    low, high = _measure(values)
    if said and said.low < said.high and said.low <= low and high <= said.high:
        return said
    if np.issubdtype(values.dtype, np.floating):
        return _range_of_fractions(low, high)
    return _range_of_integers(low, high, values.dtype)


def uses_a_quarter(high_bytes: NDArray[np.uint8]) -> bool:
    """Whether a picture of 16 bits reaches a quarter of its range, by the high bytes of its colours.

    Without `np.percentile`, which imports a module when it is first called: a decoder can open no files any more.
    """
    return bool(np.count_nonzero(high_bytes >= _QUARTER) > high_bytes.size * _TAIL / 100)


def _range_of_fractions(low: float, high: float) -> Range:
    """The usual ranges of real numbers are 0 to 1, 0 to 255 and 0 to 65535."""
    if low < 0 or high <= low:
        return Range(low, high) if high > low else Range(0.0, max(1.0, high))
    if high <= 1:
        least, greatest = _range_of_integers(low * 65535, high * 65535, np.dtype(np.uint16))
        return Range(least / 65535, greatest / 65535)
    if 64 < high <= 255 and low < high / 2:
        return Range(0.0, 255.0)
    if high > 255 and high <= 65535:
        return _range_of_integers(low, high, np.dtype(np.uint16))
    return Range(low, high)


def _range_of_integers(low: float, high: float, dtype: np.dtype[Any]) -> Range:
    is_signed = np.issubdtype(dtype, np.signedinteger)
    n_bits = 8 * dtype.itemsize - is_signed
    if low < 0:
        return Range(low, high) if high > low else Range(-(2.0**n_bits), 2.0**n_bits - 1)
    if n_bits <= 8:
        return Range(0.0, 2.0**n_bits - 1)
    if high - low < _LEAST_LEVELS:
        return Range(0.0, 2.0**n_bits - 1)
    needed = max(8, math.ceil(math.log2(high + 1)))
    bits = needed if needed <= n_bits - 2 + is_signed else n_bits
    if high - low <= _CLOSE * 2**bits and high - low < low:
        return Range(low, high)
    return Range(0.0, 2.0**bits - 1)


def _range_of_alpha(alpha: Values, colours: Range, *, is_said: bool) -> Range:
    """That of the colours if the file names it, or if it is the format's own, else the number of bits that holds it."""
    greatest = float(alpha.max(initial=0))
    if np.issubdtype(alpha.dtype, np.floating):
        return Range(0.0, next((white for white in (1.0, 255.0, 65535.0) if greatest <= white), max(greatest, 1.0)))
    if is_said and greatest <= colours.high:
        return Range(0.0, colours.high)
    full = float(np.iinfo(alpha.dtype).max)
    if colours.high >= full:
        return Range(0.0, full)
    return Range(0.0, 2.0 ** max(8, math.ceil(math.log2(max(greatest, 0) + 1))) - 1)


def _measure(values: Values) -> Range:
    """The values that one in a thousand lies below, and above."""
    step = max(1, math.isqrt(values.size // _N_MEASURED))
    measured = values[::step, ::step].ravel()
    if np.issubdtype(values.dtype, np.floating):
        measured = measured[np.isfinite(measured)].astype(np.float64)
    if not measured.size:
        return Range(0.0, 1.0)
    rank = int(measured.size * _TAIL / 100)
    ordered = np.partition(measured, (rank, measured.size - 1 - rank))
    return Range(float(ordered[rank]), float(ordered[measured.size - 1 - rank]))


def _map(values: Values, range_: Range) -> NDArray[np.uint8]:
    if values.dtype == np.uint16:
        table = _scale(np.arange(2**16), range_)
        return table[values]
    mapped = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        mapped[rows] = _scale(values[rows], range_)
    return mapped


def _scale(values: Values, range_: Range) -> NDArray[np.uint8]:
    with np.errstate(over="ignore", invalid="ignore"):
        shares = (np.asarray(values, np.float64) - range_.low) / max(range_.high - range_.low, 1e-9)
    return np.rint(np.clip(np.nan_to_num(shares, nan=0.0), 0.0, 1.0) * 255).astype(np.uint8)
