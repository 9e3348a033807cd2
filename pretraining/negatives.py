"""Drawn negatives: images of neither cats nor dogs.

The head for neither and the threshold are fitted on them. The product is evaluated on other kinds of images.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pretraining.labelled_folders import Photograph, decode_all

Pixels = NDArray[np.uint8]
Random = np.random.Generator


def draw_negatives(n_of_each: int, side_px: int, seed: int) -> Pixels:
    """Draw noise, blotches, gradients, stripes and overlapping shapes in random colours.

    Args:
        n_of_each: Number of images of each kind.
        side_px: Height and width.
        seed: Equal seeds give equal images.
    Returns:
        uint8 (5 x n_of_each, side_px, side_px, 3), 0 to 255.
    """
    random = np.random.default_rng(seed)
    return np.stack([draw(random, side_px) for draw in _KINDS for _ in range(n_of_each)])


def collect_negatives(photographs: Sequence[Photograph], n_of_each: int, side_px: int, seed: int) -> Pixels:
    """Drawn negatives, then photographs of neither class.

    Args:
        n_of_each, seed: As for `draw_negatives`.
        side_px: Height and width.
    Returns:
        uint8 (N, side_px, side_px, 3), 0 to 255.
    """
    drawn = draw_negatives(n_of_each, side_px, seed)
    return np.concatenate([drawn, decode_all(photographs, side_px)[0]]) if photographs else drawn


def _draw_noise(random: Random, side_px: int) -> Pixels:
    grey = random.random() < 0.5
    values = random.normal(128, random.uniform(10, 80), (side_px, side_px, 1 if grey else 3))
    return np.broadcast_to(_to_pixels(values), (side_px, side_px, 3))


def _draw_blotches(random: Random, side_px: int) -> Pixels:
    """Random colours on a coarse grid, interpolated."""
    n_cells = int(random.integers(2, 40))
    colours = random.uniform(0, 256, (n_cells + 1, n_cells + 1, 3))
    positions = np.linspace(0, n_cells, side_px, endpoint=False)
    low, share = positions.astype(int), positions % 1
    rows = colours[low] * (1 - share)[:, None, None] + colours[low + 1] * share[:, None, None]
    return _to_pixels(rows[:, low] * (1 - share)[:, None] + rows[:, low + 1] * share[:, None])


def _draw_gradient(random: Random, side_px: int) -> Pixels:
    return _blend(random, _slanted(random, side_px))


def _draw_stripes(random: Random, side_px: int) -> Pixels:
    waves = np.sin(_slanted(random, side_px) * random.uniform(10, 300))
    return _blend(random, (waves > 0 if random.random() < 0.5 else (waves + 1) / 2).astype(float))


def _draw_shapes(random: Random, side_px: int) -> Pixels:
    """Overlapping rectangles and ellipses."""
    image = np.empty((side_px, side_px, 3), np.uint8)
    image[:] = random.integers(0, 256, 3)
    positions = np.arange(side_px) / side_px
    for _ in range(int(random.integers(1, 15))):
        x, y, width, height = random.random(4) * (1, 1, 0.5, 0.5) + (0, 0, 0.03, 0.03)
        across, down = np.abs(positions - x)[None, :] / width, np.abs(positions - y)[:, None] / height
        inside = across**2 + down**2 < 1 if random.random() < 0.5 else np.maximum(across, down) < 1
        image[inside] = random.integers(0, 256, 3)
    return image


def _slanted(random: Random, side_px: int) -> NDArray[np.float64]:
    """A plane, float64 (side_px, side_px), that rises from 0 to 1 in a random direction."""
    angle, positions = random.uniform(0, 2 * np.pi), np.linspace(0, 1, side_px)
    plane = np.cos(angle) * positions[None, :] + np.sin(angle) * positions[:, None]
    rising: NDArray[np.float64] = (plane - plane.min()) / np.ptp(plane)
    return rising


def _blend(random: Random, shares: NDArray[np.float64]) -> Pixels:
    """Blend two random colours by shares, float64 (side_px, side_px), 0 to 1."""
    first, second = random.uniform(0, 256, (2, 3))
    return _to_pixels(first + (second - first) * shares[:, :, None])


def _to_pixels(values: NDArray[np.float64]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)


_KINDS: tuple[Callable[[Random, int], Pixels], ...] = (
    _draw_noise,
    _draw_blotches,
    _draw_gradient,
    _draw_stripes,
    _draw_shapes,
)
