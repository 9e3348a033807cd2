"""Metrics of probabilities on labelled images. NumPy only; every formula names its source.

Everywhere here, probabilities are float (N, C), 0 to 1, one row for each image, each row at most 1 in sum; labels are
int (N,), indices of classes, 0 to C - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
# Denser towards 1, where the confidences of a good network are.
_MILLI = (*range(0, 500, 100), *range(500, 900, 25), *range(900, 980, 10), *range(980, 1001, 2))
THRESHOLDS = tuple(milli / 1000 for milli in _MILLI)
_SMALLEST = 1e-7  # float32 cannot represent 1 minus a smaller probability

Probabilities = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Precision and recall of one class, 0 to 1."""

    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """All metrics of one set of images.

    Attributes:
        n_images: Number of images.
        accuracy: Share of images whose most probable class is right.
        accuracy_low: Lower end of its 95 % interval.
        accuracy_high: Upper end of its 95 % interval.
        log_loss: In nats.
        roc_auc: For the last class against the others.
        calibration_error: Expected calibration error, 15 bins.
        confusion: Counts, `confusion[true][predicted]`.
        by_class: By the class's name.
        threshold: Below this confidence an image is unsure.
        wrong: Share of all images that get a wrong label at the threshold.
        unsure: Share of all images below the threshold.
        coverage: The effect of other thresholds, as `coverage` returns it.
    """

    n_images: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    log_loss: float
    roc_auc: float
    calibration_error: float
    confusion: list[list[int]]
    by_class: dict[str, ClassMetrics]
    threshold: float
    wrong: float
    unsure: float
    coverage: dict[str, list[float]]


def evaluate(probabilities: Probabilities, labels: Labels, classes: Sequence[str], threshold: float) -> Metrics:
    """Measure all metrics.

    Args:
        probabilities: float (N, C), 0 to 1, calibrated.
        labels: int (N,), given by people.
        classes: The C names, in the order of the columns.
        threshold: Confidence from which an image gets a label.
    Raises:
        ValueError: The shapes do not match, or there is no image.
    """
    n = len(labels)
    if n == 0 or probabilities.shape != (n, len(classes)):
        raise ValueError(f"expected probabilities ({n or 'N'}, {len(classes)}), N > 0; got {probabilities.shape}")
    n_right = int((probabilities.argmax(axis=1) == labels).sum())
    low, high = wilson_interval(n_right, n)
    counts = confusion(labels, probabilities.argmax(axis=1), len(classes))
    wrong, unsure = wrong_and_unsure(probabilities, labels, threshold)
    return Metrics(
        n_images=n,
        accuracy=n_right / n,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=log_loss(probabilities, labels),
        roc_auc=roc_auc(probabilities[:, -1], labels == len(classes) - 1),
        calibration_error=calibration_error(probabilities, labels),
        confusion=counts.tolist(),
        by_class=dict(zip(classes, class_metrics(counts), strict=True)),
        threshold=threshold,
        wrong=wrong,
        unsure=unsure,
        coverage=coverage(probabilities, labels),
    )


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of images whose most probable class is right, 0 to 1, from float (N, C) and int (N,)."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share, two values from 0 to 1.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.
    """
    share, z2 = n_right / n, _Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of -ln p(true class), in nats; a coin gets 0.693. Probabilities below 1e-7 count as 1e-7.

    Args:
        probabilities: float (N, C), 0 to 1.
        labels: int (N,), 0 to C - 1.
    """
    p_true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(p_true, _SMALLEST)).mean())


def roc_auc(scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> float:
    """How often a positive scores higher than a negative, ties counting half; 0.5 if one kind is missing.

    Args:
        scores: float (N,), higher for positives.
        positive: bool (N,).

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
    """Mean gap between confidence and accuracy over equally wide bins of confidence, weighted by their sizes.

    Args:
        probabilities: float (N, C), 0 to 1.
        labels: int (N,), 0 to C - 1.
        n_bins: Number of bins from 0 to 1.
    Returns:
        The gap, 0 to 1.
    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning", AAAI; 15 bins as in
    Guo et al. 2017, arXiv:1706.04599.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(labels))


def confusion(labels: Labels, predicted: Labels, n_classes: int) -> NDArray[np.int64]:
    """Count true and predicted classes.

    Args:
        labels: int (N,), the true classes, 0 to C - 1.
        predicted: int (N,), the predicted classes, 0 to C - 1.
        n_classes: C.
    Returns:
        int64 (C, C): the row is the true class, the column the predicted one.
    """
    counts = np.bincount(labels.astype(np.int64) * n_classes + predicted, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes)


def class_metrics(counts: NDArray[np.int64]) -> list[ClassMetrics]:
    """Precision and recall of each class from the confusion counts, int64 (C, C); 0 where a class never occurs."""
    right, predicted, true = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return [
        ClassMetrics(precision=float(r / p) if p else 0.0, recall=float(r / t) if t else 0.0)
        for r, p, t in zip(right, predicted, true, strict=True)
    ]


def wrong_and_unsure(probabilities: Probabilities, labels: Labels, threshold: float) -> tuple[float, float]:
    """Shares of all images that get a wrong label, and that get none.

    Args:
        probabilities: float (N, C), 0 to 1.
        labels: int (N,), 0 to C - 1.
        threshold: Confidence from which an image gets a label, 0 to 1.
    """
    labelled = probabilities.max(axis=1) >= threshold
    wrong = labelled & (probabilities.argmax(axis=1) != labels)
    return float(wrong.mean()), float(1 - labelled.mean())


def coverage(probabilities: Probabilities, labels: Labels) -> dict[str, list[float]]:
    """Errors against coverage: three lists of the same length, one entry for each of `THRESHOLDS`.

    Args:
        probabilities: float (N, C), 0 to 1.
        labels: int (N,), 0 to C - 1.
    Returns:
        `threshold`; `labelled`, the share of all images that get a label there; `wrong`, the share of all images that
        get a wrong one.
    """
    shares = [wrong_and_unsure(probabilities, labels, threshold) for threshold in THRESHOLDS]
    return {
        "threshold": list(THRESHOLDS),
        "labelled": [round(1 - unsure, 6) for _, unsure in shares],
        "wrong": [round(wrong, 6) for wrong, _ in shares],
    }
