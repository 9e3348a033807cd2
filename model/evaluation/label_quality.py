"""What labels look like to a network's features: which are probably wrong, and what more of them would bring.

A head is fitted on four fifths of the labels and asked about the rest, five times, so that each label is judged by a
head that has not seen it; the same with a quarter, a half and three quarters of the four fifths gives a curve.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.arrays.logistic_regression import fit_logistic

FOLDS = 5
SHARES = (0.25, 0.5, 0.75, 1.0)
DECAY = 0.02
_EXPONENTS = np.arange(0.15, 1.01, 0.05)


@dataclass(frozen=True, slots=True)
class Point:
    """Heads fitted on `n` labels were right about this share of pictures that they had not seen."""

    n: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Errors by the number of labels: floor + scale * n ** -exponent.

    The form is the usual one: Hestness et al. 2017, arXiv:1712.00409.
    """

    floor: float
    scale: float
    exponent: float

    def accuracy(self, n: int) -> float:
        """What share would be right with n labels."""
        return float(np.clip(1 - self.floor - self.scale * max(n, 1) ** -self.exponent, 0, 1))


@dataclass(frozen=True, slots=True)
class Validated:
    """What heads said of pictures that they had not seen.

    Attributes:
        p_second: float32 (N,), the probability of the second class.
        points: The curve as measured, one point for each of `SHARES`.
    """

    p_second: NDArray[np.float32]
    points: list[Point]


def cross_validate(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    seed: int = 1,
    on_fit: Callable[[int, int], object] = lambda step, n_steps: None,
) -> Validated:
    """Judge each label by heads that have not seen it.

    Args:
        features: (N, F).
        labels: (N,), 0 or 1; at least ten of each.
        seed: Of how they are dealt out.
        on_fit: Called after each fit with its number and how many there are; what it raises ends the work.
    """
    folds = _deal(labels, seed)
    p_second = np.empty(len(labels), np.float32)
    right = dict.fromkeys(SHARES, 0)
    sizes = dict.fromkeys(SHARES, 0)
    n_fits, rows = 0, features.astype(np.float32)
    for fold in range(FOLDS):
        asked = folds == fold
        others = np.flatnonzero(~asked)
        for share in SHARES:
            # the dealing is at random within each class, so that the first of each class are as good as any
            learned = np.concatenate([_first(others[labels[others] == one], share, seed) for one in (0, 1)])
            kernel, offset = fit_logistic(rows[learned], labels[learned], DECAY)
            lean = (rows[asked] @ kernel + offset)[:, 0]
            right[share] += int(((lean > 0) == (labels[asked] == 1)).sum())
            sizes[share] += len(learned)
            if share == SHARES[-1]:
                p_second[asked] = 1 / (1 + np.exp(-np.clip(lean, -60, 60)))
            n_fits += 1
            on_fit(n_fits, FOLDS * len(SHARES))
    points = [Point(round(sizes[share] / FOLDS), right[share] / len(labels)) for share in SHARES]
    return Validated(p_second, points)


def _deal(labels: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    """A fold for each row, with equal shares of each class in all of them."""
    random = np.random.default_rng(seed)
    folds = np.empty(len(labels), np.int64)
    for one in (0, 1):
        rows = random.permutation(np.flatnonzero(labels == one))
        folds[rows] = np.arange(len(rows)) % FOLDS
    return folds


def _first(rows: NDArray[np.intp], share: float, seed: int) -> NDArray[np.intp]:
    shuffled = np.random.default_rng([seed, len(rows)]).permutation(rows)
    return shuffled[: max(2, round(share * len(rows)))]


def rank_suspects(p_second: NDArray[np.float32], labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Rows whose label is less likely than the other one, the least likely first.

    The order is that of cleanlab's label quality score "self_confidence": Northcutt, Jiang and Chuang 2021, "Confident
    learning", arXiv:1911.00068.
    """
    p_label = np.where(labels == 1, p_second, 1 - p_second)
    order = np.argsort(p_label, kind="stable")
    return order[p_label[order] < 0.5]


def fit_curve(points: Sequence[Point]) -> Curve:
    """The curve that is closest to the points; it never says that more labels do harm."""
    sizes = np.array([point.n for point in points], float)
    errors = np.array([1 - point.accuracy for point in points])
    best, found = np.inf, Curve(float(errors.mean()), 0.0, 0.5)
    for exponent in _EXPONENTS:
        falls = sizes**-exponent
        spread = falls - falls.mean()
        scale = max(float(spread @ (errors - errors.mean()) / max(spread @ spread, 1e-12)), 0.0)
        floor = float((errors - scale * falls).mean())
        if floor < 0:
            floor, scale = 0.0, max(float(falls @ errors / (falls @ falls)), 0.0)
        off = float(((floor + scale * falls - errors) ** 2 * sizes).sum())  # more labels, a steadier point
        if off < best - 1e-12:
            best, found = off, Curve(floor, scale, float(exponent))
    return found


def choose_unlike(features: NDArray[np.floating], n: int) -> NDArray[np.intp]:
    """Rows that are unlike each other: the first, then always the one furthest from all that were chosen.

    Args:
        features: (N, F), the most wanted first.
        n: How many at most.
    Source: Gonzalez 1985, doi:10.1016/0304-3975(85)90224-5; for labels: Sener and Savarese 2018, arXiv:1708.00489.
    """
    if not len(features):
        return np.empty(0, np.intp)
    rows = features.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    chosen = [0]
    nearest = 1 - rows @ rows[0]
    while len(chosen) < min(n, len(rows)):
        furthest = int(nearest.argmax())
        chosen.append(furthest)
        nearest = np.minimum(nearest, 1 - rows @ rows[furthest])
        nearest[chosen] = -1
    return np.array(chosen, np.intp)


def share_unlike(features: NDArray[np.floating], known: NDArray[np.floating], usual: float = 0.05) -> float:
    """The share of pictures that are further from every known one than all but `usual` of these are from each other.

    Args:
        features: (N, F); N at least 1.
        known: (M, F), of the labelled pictures; at least 2.
    """
    rows, others = _directions(features), _directions(known)
    among = others @ others.T
    np.fill_diagonal(among, -1)
    limit = np.quantile(among.max(axis=1), usual)
    return float(((rows @ others.T).max(axis=1) < limit).mean())


def _directions(features: NDArray[np.floating]) -> NDArray[np.float32]:
    rows = features.astype(np.float32)
    unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit
