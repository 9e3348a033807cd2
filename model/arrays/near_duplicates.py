"""Pictures that are nearly the same: scaled, compressed anew, cropped a little, mirrored.

    pixels ─► sketch: 32 x 32 greys ─► correlation of sketches, also of cropped and mirrored ones ─► pairs

Measured on 2,500 photographs of cats and dogs: a copy scaled, compressed anew or mirrored correlates by 0.999, one that
lost 5 % at each edge by 0.99 at least; the most alike of different photographs by 0.90.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 32
ALIKE = 0.95
_CANDIDATE = 0.65  # of sketches as they are, before crops are tried
_MAX_CANDIDATES = 30
_SLICE = 1024
_WHOLE = (1.0, 0.0, 0.0)  # size, where
_CROPS = ((0.9, 0.5, 0.5), *((0.95, x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)))


def sketch(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (N, 32, 32): the greens of pictures, uint8 (N, S, S, 3).

    Raises:
        ValueError: S is below 32.
    """
    side = images.shape[1]
    if side < SIDE:
        raise ValueError(f"expected pictures whose sides have at least {SIDE} pixels; got {side}")
    averaging = _make_averaging(side)
    greys: NDArray[np.float32] = averaging @ images[..., 1].astype(np.float32) @ averaging.T
    return np.rint(greys).astype(np.uint8)


@cache
def _make_averaging(side: int) -> NDArray[np.float32]:
    """(32, side): how much of each of so many pixels lies in each of 32 equal parts; rows sum to 1."""
    edges = np.arange(SIDE + 1)[:, None] * side / SIDE
    begun = np.clip(edges - np.arange(side), 0, 1)  # how much of each pixel lies before each edge
    shares = np.diff(begun, axis=0) * SIDE / side
    return shares.astype(np.float32)


def find_pairs(
    sketches: NDArray[np.uint8], on_some: Callable[[int], object] = lambda n_done: None
) -> list[tuple[int, int]]:
    """Rows (i, j), i < j, of sketches (N, 32, 32) that are nearly the same picture.

    Args:
        on_some: Called between what takes up to a second, with how many were compared; what it raises ends the work.
    """
    plain, mirrored = _normalise(sketches), _normalise(sketches[:, :, ::-1])
    pairs: set[tuple[int, int]] = set()
    for start in range(0, len(sketches), _SLICE):
        on_some(start)
        some = slice(start, start + _SLICE)
        alike = np.maximum(plain[some] @ plain.T, plain[some] @ mirrored.T)
        np.fill_diagonal(alike[:, start:], -1)
        cuts = _cuts(sketches[some])
        for row, correlations in enumerate(alike):
            others = _most_alike(correlations)
            best = (cuts[row] @ plain[others].T).max(axis=0)
            pairs |= {(min(start + row, int(other)), max(start + row, int(other))) for other in others[best >= ALIKE]}
    return sorted(pairs)


def _most_alike(correlations: NDArray[np.float32]) -> NDArray[np.intp]:
    """The places of those that are worth a closer look."""
    others = np.flatnonzero(correlations >= _CANDIDATE)
    if len(others) <= _MAX_CANDIDATES:
        return others
    return others[np.argpartition(-correlations[others], _MAX_CANDIDATES)[:_MAX_CANDIDATES]]


def _cuts(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 22, 256): each picture whole and as its crops, as it is and mirrored; normalised."""
    cuts = [_crop(sketches, *crop) for crop in (_WHOLE, *_CROPS)]
    return np.stack([_normalise(one) for cut in cuts for one in (cut, cut[:, :, ::-1])], axis=1)


def _normalise(sketches: NDArray[np.generic]) -> NDArray[np.float32]:
    """(N, 256): halved in size, mean 0, length 1, so that a product is a correlation."""
    greys = sketches.astype(np.float32)
    halves = (greys[:, ::2, ::2] + greys[:, 1::2, ::2] + greys[:, ::2, 1::2] + greys[:, 1::2, 1::2]) / 4
    rows = halves.reshape(len(sketches), (SIDE // 2) ** 2)
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    flat: NDArray[np.float32] = rows / np.maximum(lengths, 1e-6) * (lengths > 16)  # what shows nothing is like nothing
    return flat


def _crop(sketches: NDArray[np.uint8], size: float, x: float, y: float) -> NDArray[np.float32]:
    """A part of each sketch, enlarged to the whole: `size` of its sides, placed at (x, y), 0 to 1."""
    rows, down = _places(size, y)
    columns, right = _places(size, x)
    upper, lower = sketches[:, rows].astype(np.float32), sketches[:, rows + 1].astype(np.float32)
    mixed = upper + (lower - upper) * down[:, None]
    left, beside = mixed[:, :, columns], mixed[:, :, columns + 1]
    cut: NDArray[np.float32] = left + (beside - left) * right
    return cut


def _places(size: float, where: float) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    centres = (np.arange(SIDE) + 0.5) * size + SIDE * (1 - size) * where - 0.5
    first = np.clip(np.floor(centres).astype(int), 0, SIDE - 2)
    return first, np.clip(centres - first, 0, 1).astype(np.float32)
