"""Near-duplicates: images that are scaled, recompressed, slightly cropped or mirrored copies of each other.

    pixels ─► sketch: 32 x 32 greys ─► correlation of sketches, also of cropped and mirrored ones ─► pairs

Measured on 2,500 photographs of cats and dogs: a scaled, recompressed or mirrored copy has a correlation of 0.999, a
copy cropped by 5 % at each edge at least 0.99, and the most similar different photographs 0.90.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 32
MIN_CORRELATION = 0.95
_MIN_CANDIDATE = 0.65  # correlation of the whole sketches, before crops are compared
_MAX_CANDIDATES = 30
_SLICE = 1024
_WHOLE = (1.0, 0.0, 0.0)  # size, x, y
_CROPS = ((0.9, 0.5, 0.5), *((0.95, x, y) for x in (0.0, 0.5, 1.0) for y in (0.0, 0.5, 1.0)))


def sketch(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Small images of the green channel, by which near-duplicates are found.

    Args:
        images: uint8 (N, S, S, 3), 0 to 255, S at least 32.
    Returns:
        uint8 (N, 32, 32), 0 to 255.
    Raises:
        ValueError: S is below 32.
    """
    side = images.shape[1]
    if side < SIDE:
        raise ValueError(f"expected images with sides of at least {SIDE} pixels; got {side}")
    averaging = _make_averaging(side)
    greys: NDArray[np.float32] = averaging @ images[..., 1].astype(np.float32) @ averaging.T
    return np.rint(greys).astype(np.uint8)


@cache
def _make_averaging(side: int) -> NDArray[np.float32]:
    """float32 (32, side): the share of each pixel in each of 32 equal cells; rows sum to 1."""
    edges = np.arange(SIDE + 1)[:, None] * side / SIDE
    before = np.clip(edges - np.arange(side), 0, 1)  # how much of each pixel is before each edge
    shares = np.diff(before, axis=0) * SIDE / side
    return shares.astype(np.float32)


def find_pairs(
    sketches: NDArray[np.uint8], on_progress: Callable[[int], object] = lambda n_done: None
) -> list[tuple[int, int]]:
    """The pairs of near-duplicates.

    Args:
        sketches: uint8 (N, 32, 32), 0 to 255.
        on_progress: Called about once a second with the number of compared rows; an exception from it ends the work.
    Returns:
        Rows (i, j) with i < j, sorted.
    """
    plain, mirrored = _normalise(sketches), _normalise(sketches[:, :, ::-1])
    pairs: set[tuple[int, int]] = set()
    for start in range(0, len(sketches), _SLICE):
        on_progress(start)
        batch = slice(start, start + _SLICE)
        correlations = np.maximum(plain[batch] @ plain.T, plain[batch] @ mirrored.T)
        np.fill_diagonal(correlations[:, start:], -1)
        crops = _crop_all(sketches[batch])
        for row, of_row in enumerate(correlations):
            others = _find_candidates(of_row)
            best = (crops[row] @ plain[others].T).max(axis=0)
            pairs |= {
                (min(start + row, int(other)), max(start + row, int(other)))
                for other in others[best >= MIN_CORRELATION]
            }
    return sorted(pairs)


def _find_candidates(correlations: NDArray[np.float32]) -> NDArray[np.intp]:
    """The rows that are worth comparing with crops."""
    others = np.flatnonzero(correlations >= _MIN_CANDIDATE)
    if len(others) <= _MAX_CANDIDATES:
        return others
    return others[np.argpartition(-correlations[others], _MAX_CANDIDATES)[:_MAX_CANDIDATES]]


def _crop_all(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32 (N, 22, 256): each sketch whole and cropped, plain and mirrored, normalised."""
    crops = [_crop(sketches, *crop) for crop in (_WHOLE, *_CROPS)]
    return np.stack([_normalise(each) for crop in crops for each in (crop, crop[:, :, ::-1])], axis=1)


def _normalise(sketches: NDArray[np.generic]) -> NDArray[np.float32]:
    """float32 (N, 256): halved in size, mean 0, length 1, so a product is a correlation."""
    greys = sketches.astype(np.float32)
    halves = (greys[:, ::2, ::2] + greys[:, 1::2, ::2] + greys[:, ::2, 1::2] + greys[:, 1::2, 1::2]) / 4
    rows = halves.reshape(len(sketches), (SIDE // 2) ** 2)
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    flat: NDArray[np.float32] = (
        rows / np.maximum(lengths, 1e-6) * (lengths > 16)
    )  # an even image has no near-duplicates
    return flat


def _crop(sketches: NDArray[np.uint8], size: float, x: float, y: float) -> NDArray[np.float32]:
    """A crop of each sketch, enlarged to 32 x 32: `size` of its sides, at (x, y), all 0 to 1."""
    rows, down = _interpolation(size, y)
    columns, right = _interpolation(size, x)
    upper, lower = sketches[:, rows].astype(np.float32), sketches[:, rows + 1].astype(np.float32)
    mixed = upper + (lower - upper) * down[:, None]
    left, next_column = mixed[:, :, columns], mixed[:, :, columns + 1]
    cropped: NDArray[np.float32] = left + (next_column - left) * right
    return cropped


def _interpolation(size: float, position: float) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    centres = (np.arange(SIDE) + 0.5) * size + SIDE * (1 - size) * position - 0.5
    first = np.clip(np.floor(centres).astype(int), 0, SIDE - 2)
    return first, np.clip(centres - first, 0, 1).astype(np.float32)
