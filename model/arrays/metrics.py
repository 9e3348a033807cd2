"""How good probabilities are, measured on labelled pictures. NumPy only; every formula names its source.

Probabilities are (N, C), one row for each picture, at most 1 in sum; labels are (N,), indices of classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
# Denser towards 1, where a good network's confidences are.
_MILLI = (*range(0, 500, 100), *range(500, 900, 25), *range(900, 980, 10), *range(980, 1001, 2))
THRESHOLDS = tuple(milli / 1000 for milli in _MILLI)
_SMALLEST = 1e-7  # float32 cannot tell smaller probabilities from 0 beside 1

Probabilities = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Of one class: share of right ones among what was called so, and among what is so."""

    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is measured on one set of pictures.

    Attributes:
        n_images: How many pictures.
        accuracy: Share of pictures whose most probable class is right.
        accuracy_low: Lower end of its 95 % interval.
        accuracy_high: Upper end of its 95 % interval.
        log_loss: In nats.
        roc_auc: For the last class against the others.
        calibration_error: Expected calibration error, 15 bins.
        confusion: `confusion[true][called]`, counts.
        by_class: By the class's name.
        threshold: Below this confidence a picture counts as unsure.
        wrong: Share of all pictures that get a wrong label at the threshold.
        unsure: Share of all pictures below the threshold.
        coverage: What other thresholds would do, as `coverage` gives it.
    """

    n_images: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    log_loss: float
    roc_auc: float
    calibration_error: float
    confusion: list[list[int]]
    by_class: dict[str, ClassFigures]
    threshold: float
    wrong: float
    unsure: float
    coverage: dict[str, list[float]]


def judge(probabilities: Probabilities, labels: Labels, classes: Sequence[str], threshold: float) -> Figures:
    """Measure everything.

    Args:
        probabilities: (N, C), as the product would show them.
        labels: (N,), what people say.
        classes: The C names, in the order of the columns.
        threshold: Confidence from which a picture is labelled.
    Raises:
        ValueError: The arrays do not fit each other, or there is nothing to measure.
    """
    n = len(labels)
    if n == 0 or probabilities.shape != (n, len(classes)):
        raise ValueError(f"expected probabilities ({n or 'N'}, {len(classes)}), N > 0; got {probabilities.shape}")
    n_right = int((probabilities.argmax(axis=1) == labels).sum())
    low, high = wilson_interval(n_right, n)
    counts = confusion(labels, probabilities.argmax(axis=1), len(classes))
    wrong, unsure = wrong_and_unsure(probabilities, labels, threshold)
    return Figures(
        n_images=n,
        accuracy=n_right / n,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=log_loss(probabilities, labels),
        roc_auc=roc_auc(probabilities[:, -1], labels == len(classes) - 1),
        calibration_error=calibration_error(probabilities, labels),
        confusion=counts.tolist(),
        by_class=dict(zip(classes, class_figures(counts), strict=True)),
        threshold=threshold,
        wrong=wrong,
        unsure=unsure,
        coverage=coverage(probabilities, labels),
    )


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of pictures whose most probable class is right."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.
    """
    share, z2 = n_right / n, _Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of -ln p(true class), in nats; 0.693 is what a coin gets. Probabilities below 1e-7 count as 1e-7."""
    p_true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(p_true, _SMALLEST)).mean())


def roc_auc(scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> float:
    """How often a positive scores higher than a negative, ties counting half; 0.5 when one kind is missing.

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve", Radiology 143, 29-36:
    the area equals the rank statistic of Mann and Whitney.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return 0.5
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = counts.cumsum() - (counts - 1) / 2
    rank_sum = mean_rank[inverse][positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def calibration_error(probabilities: Probabilities, labels: Labels, n_bins: int = 15) -> float:
    """How far confidence and accuracy are apart, over equally wide bins of confidence, weighted by their sizes.

    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning", AAAI; 15 bins as in
    Guo et al. 2017, arXiv:1706.04599.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(labels))


def confusion(labels: Labels, called: Labels, n_classes: int) -> NDArray[np.int64]:
    """Counts, (C, C): row is the true class, column what it was called."""
    counts = np.bincount(labels.astype(np.int64) * n_classes + called, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes)


def class_figures(counts: NDArray[np.int64]) -> list[ClassFigures]:
    """Precision and recall of each class from the confusion counts; 0 where a class never occurs."""
    right, called, true = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return [
        ClassFigures(precision=float(r / c) if c else 0.0, recall=float(r / t) if t else 0.0)
        for r, c, t in zip(right, called, true, strict=True)
    ]


def wrong_and_unsure(probabilities: Probabilities, labels: Labels, threshold: float) -> tuple[float, float]:
    """Shares of all pictures that get a wrong label, and that get none, at a threshold on the confidence."""
    labelled = probabilities.max(axis=1) >= threshold
    wrong = labelled & (probabilities.argmax(axis=1) != labels)
    return float(wrong.mean()), float(1 - labelled.mean())


def coverage(probabilities: Probabilities, labels: Labels) -> dict[str, list[float]]:
    """Errors against coverage: three lists of the same length, one entry for each of `THRESHOLDS`.

    Returns:
        `threshold`; `labelled`, the share of all pictures that get a label there; `wrong`, the share of all pictures
        that get a wrong one.
    """
    shares = [wrong_and_unsure(probabilities, labels, threshold) for threshold in THRESHOLDS]
    return {
        "threshold": list(THRESHOLDS),
        "labelled": [round(1 - unsure, 6) for _, unsure in shares],
        "wrong": [round(wrong, 6) for wrong, _ in shares],
    }
