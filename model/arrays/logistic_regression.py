"""Logistic regression on features, which fits the head of a network whose other layers stay as they are."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAX_STEPS = 30
_MAX_HALVINGS = 20
_NOISE = 1e-6  # of a loss in float32
_SMALL_STEP = 1e-4


def fit_logistic(
    features: NDArray[np.float32],
    labels: NDArray[np.number[Any]],
    decay: float,
    weights: NDArray[np.floating[Any]] | None = None,
    start: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The weights with the smallest mean cross-entropy plus decay, by Newton's method.

    There is one such minimum, so nothing is random and there is no learning rate.

    Args:
        features: float32 (N, F), any scale. Each column is scaled to mean 0 and deviation 1 for the fit; the result is
            for the unscaled columns.
        labels: (N,), 0 or 1, or a share in between: int, bool or float.
        decay: Factor of half the sum of the squared weights (of the scaled columns), which is added to the mean loss.
        weights: float (N,), the weight of each row; None: all equal.
        start: float32 kernel (F, 1) and offset (1,) towards which decay pulls; None: towards zero.
    Returns:
        float32 kernel (F, 1) and offset (1,) of p(1) = 1 / (1 + exp(-(features @ kernel + offset))).
    Raises:
        ValueError: The steps do not become small. That happens without decay if the classes are perfectly separable.
    Source: Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", 4.4.1.
    """
    n_rows, n_columns = features.shape
    counts = np.ones(n_rows) if weights is None else weights.astype(np.float64)
    counts = counts / counts.sum()
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(features.std(axis=0, dtype=np.float64), 1e-6)
    rows = np.concatenate([(features - mean) / deviation, np.ones((n_rows, 1))], axis=1, dtype=np.float32)
    pull = np.full(n_columns + 1, decay)
    if start is None:
        pull[-1] = 1e-9  # the offset is free
    towards = np.zeros(n_columns + 1)
    if start is not None:
        kernel = start[0][:, 0].astype(np.float64)
        towards = np.append(kernel * deviation, start[1][0] + mean @ kernel)
    solution = _minimise(rows, labels, counts, pull, towards)
    kernel = solution[:-1] / deviation
    offset = solution[-1] - mean @ kernel
    return kernel.astype(np.float32)[:, None], np.array([offset], np.float32)


def _minimise(
    rows: NDArray[np.float32],
    labels: NDArray[np.number[Any]],
    counts: NDArray[np.float64],
    pull: NDArray[np.float64],
    towards: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Newton's method from zero, where the curvature is largest, so no step diverges."""

    def measure(solution: NDArray[np.float64]) -> float:
        logits = (rows @ solution.astype(np.float32)).astype(np.float64)
        return float(counts @ (np.logaddexp(0, logits) - labels * logits) + pull @ (solution - towards) ** 2 / 2)

    solution = np.zeros(rows.shape[1])
    loss = measure(solution)
    for _ in range(_MAX_STEPS):
        p = 1 / (1 + np.exp(-np.clip(rows @ solution.astype(np.float32), -30, 30).astype(np.float64)))
        gradient = rows.T @ (counts * (p - labels)).astype(np.float32) + pull * (solution - towards)
        curvature = (counts * p * (1 - p)).astype(np.float32)
        hessian = (rows.T @ (rows * curvature[:, None])).astype(np.float64) + np.diag(pull)
        step = np.linalg.solve(hessian, gradient)
        solution, loss = _descend(measure, solution, loss, step * min(1.0, 5 / float(np.abs(step).max())))
        if np.abs(step).max() < _SMALL_STEP:
            return solution
    raise ValueError(
        f"expected a minimum after {_MAX_STEPS} steps; the last was {np.abs(step).max():.2g}. Raise decay."
    )


def _descend(
    measure: Callable[[NDArray[np.float64]], float],
    solution: NDArray[np.float64],
    loss: float,
    step: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.float64], float]:
    """Take the step, halved until the loss falls: where p is near 0 or 1 the curvature vanishes, and steps would cycle.

    Returns:
        The new solution, float64 (F + 1,), and its loss.
    """
    bound = loss + _NOISE * (1 + abs(loss))
    for _ in range(_MAX_HALVINGS):
        reached = measure(solution - step)
        if reached <= bound:
            return solution - step, reached
        step = step / 2
    return solution - step, measure(solution - step)
