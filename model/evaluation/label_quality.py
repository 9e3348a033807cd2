"""The quality of labels by cross-validation on features: which are probably wrong, and the gain from more of them.

A head is fitted on four fifths of the labels and predicts the rest, five times, so each label is checked by a head that
was not trained on it. The same with a quarter, a half and three quarters of the four fifths gives a learning curve.
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
class CurvePoint:
    """The accuracy, 0 to 1, of heads fitted on `n` labels on the labels that they were not fitted on."""

    n: int
    accuracy: float


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Error by the number of labels: floor + scale * n ** -exponent.

    Source of the form: Hestness et al. 2017, arXiv:1712.00409.
    """

    floor: float
    scale: float
    exponent: float

    def accuracy(self, n: int) -> float:
        """The expected accuracy with n labels, 0 to 1."""
        return float(np.clip(1 - self.floor - self.scale * max(n, 1) ** -self.exponent, 0, 1))


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Predictions of heads for images that they were not fitted on.

    Attributes:
        p_second: float32 (N,), 0 to 1, the probability of the second class.
        points: The learning curve as measured, one point for each of `SHARES`.
    """

    p_second: NDArray[np.float32]
    points: list[CurvePoint]


def cross_validate(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    seed: int = 1,
    on_fit: Callable[[int, int], object] = lambda step, n_steps: None,
) -> CrossValidation:
    """Predict each label by a head that was not fitted on it.

    Args:
        features: float (N, F).
        labels: int (N,), 0 or 1; at least ten of each.
        seed: Of the folds.
        on_fit: Called after each fit with its number and the number of fits; an exception from it ends the work.
    """
    folds = _assign_folds(labels, seed)
    p_second = np.empty(len(labels), np.float32)
    right = dict.fromkeys(SHARES, 0)
    sizes = dict.fromkeys(SHARES, 0)
    n_fits, rows = 0, features.astype(np.float32)
    for fold in range(FOLDS):
        is_test = folds == fold
        train = np.flatnonzero(~is_test)
        for share in SHARES:
            drawn = np.concatenate([_draw_share(train[labels[train] == label], share, seed) for label in (0, 1)])
            kernel, offset = fit_logistic(rows[drawn], labels[drawn], DECAY)
            logits = (rows[is_test] @ kernel + offset)[:, 0]
            right[share] += int(((logits > 0) == (labels[is_test] == 1)).sum())
            sizes[share] += len(drawn)
            if share == SHARES[-1]:
                p_second[is_test] = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
            n_fits += 1
            on_fit(n_fits, FOLDS * len(SHARES))
    points = [CurvePoint(round(sizes[share] / FOLDS), right[share] / len(labels)) for share in SHARES]
    return CrossValidation(p_second, points)


def _assign_folds(labels: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    """A fold for each row, int64 (N,), with equal shares of each class in all folds."""
    random = np.random.default_rng(seed)
    folds = np.empty(len(labels), np.int64)
    for label in (0, 1):
        rows = random.permutation(np.flatnonzero(labels == label))
        folds[rows] = np.arange(len(rows)) % FOLDS
    return folds


def _draw_share(rows: NDArray[np.intp], share: float, seed: int) -> NDArray[np.intp]:
    shuffled = np.random.default_rng([seed, len(rows)]).permutation(rows)
    return shuffled[: max(2, round(share * len(rows)))]


def rank_suspects(p_second: NDArray[np.float32], labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Rows whose label is less likely than the other one, the least likely first.

    Args:
        p_second: float32 (N,), 0 to 1, the probability of the second class.
        labels: int (N,), 0 or 1.
    Returns:
        intp (M,), rows of the arguments.

    The order is that of cleanlab's label quality score "self_confidence": Northcutt, Jiang and Chuang 2021, "Confident
    learning", arXiv:1911.00068.
    """
    p_label = np.where(labels == 1, p_second, 1 - p_second)
    order = np.argsort(p_label, kind="stable")
    return order[p_label[order] < 0.5]


def fit_curve(points: Sequence[CurvePoint]) -> LearningCurve:
    """The learning curve closest to the points. It never falls: more labels never lower the expected accuracy."""
    sizes = np.array([point.n for point in points], float)
    errors = np.array([1 - point.accuracy for point in points])
    smallest, best = np.inf, LearningCurve(float(errors.mean()), 0.0, 0.5)
    for exponent in _EXPONENTS:
        falls = sizes**-exponent
        spread = falls - falls.mean()
        scale = max(float(spread @ (errors - errors.mean()) / max(spread @ spread, 1e-12)), 0.0)
        floor = float((errors - scale * falls).mean())
        if floor < 0:
            floor, scale = 0.0, max(float(falls @ errors / (falls @ falls)), 0.0)
        residual = float(((floor + scale * falls - errors) ** 2 * sizes).sum())  # more labels, less noise
        if residual < smallest - 1e-12:
            smallest, best = residual, LearningCurve(floor, scale, float(exponent))
    return best


def choose_diverse(features: NDArray[np.floating], n: int) -> NDArray[np.intp]:
    """Diverse rows: the first, then always the one furthest from all that are already chosen.

    Args:
        features: float (N, F), the most useful first.
        n: Largest number of rows.
    Returns:
        intp (at most n,), rows of `features`.
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


def share_unfamiliar(features: NDArray[np.floating], known: NDArray[np.floating], usual: float = 0.05) -> float:
    """The share of images that are unlike the labelled ones, 0 to 1.

    An image is unfamiliar if its nearest labelled image is further away than the nearest neighbours of labelled images
    are from each other, except for the `usual` share of these.

    Args:
        features: float (N, F); N at least 1.
        known: float (M, F), of the labelled images; at least 2.
        usual: Share of the labelled images that count as unfamiliar to each other, 0 to 1.
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
