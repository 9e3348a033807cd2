"""How a converted network agrees with the network in TensorFlow, and how well it must."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.inference.predictions import Predictions

MAX_DIFFERENCE = 0.002  # between probabilities in float32
MAX_MEAN_DIFFERENCE = 0.02  # between probabilities in float32 and in int8; the other limits are for int8, too
MAX_LABELS_DIFFER, FEW = 0.02, 2  # the share of images, or this number of them
MAX_LOST, ONE = 0.003, 1
MIN_FEATURES_COSINE = 0.98
MIN_MAPS_COSINE = 0.9


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was measured on images that both networks classified.

    Attributes:
        n_images: Their number.
        features_cosine: Cosine of the features of both, on average ...
        features_cosine_low: ... and the lowest.
        maps_cosine: Cosine of the evidence of both, on average; None if the network has no feature map.
        largest_difference: Between the probabilities.
        mean_difference: Between the probabilities.
        n_labels_differ: How many images have another likelier class.
        n_lost: How many that have a label are right in TensorFlow alone, minus those that are right here alone.

    What depends on the head is None for a head that was fitted on features of this body, and `n_lost` without labels.
    """

    n_images: int
    features_cosine: float
    features_cosine_low: float
    maps_cosine: float | None = None
    largest_difference: float | None = None
    mean_difference: float | None = None
    n_labels_differ: int | None = None
    n_lost: int | None = None


def compare(expected: Predictions, found: Predictions, labels: NDArray[np.integer[Any]] | None = None) -> Agreement:
    """Compare the predictions of both networks for the same images.

    Args:
        expected: By TensorFlow, of at least one image.
        found: By the converted network.
        labels: int (N,), indices of classes.
    """
    cosines = _cosines(expected.features, found.features)
    differences = np.abs(expected.probabilities - found.probabilities)
    classes, converted = expected.probabilities.argmax(axis=1), found.probabilities.argmax(axis=1)
    n_lost = None if labels is None else int((classes == labels).sum() - (converted == labels).sum())
    maps = None
    if expected.evidence is not None and found.evidence is not None:
        maps = float(_cosines(expected.evidence, found.evidence).mean())
    return Agreement(
        n_images=len(classes),
        features_cosine=float(cosines.mean()),
        features_cosine_low=float(cosines.min()),
        maps_cosine=maps,
        largest_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        n_labels_differ=int((classes != converted).sum()),
        n_lost=n_lost,
    )


def find_disagreements(agreement: Agreement, precision: str) -> list[str]:
    """Sentences on every limit that is not kept.

    Args:
        agreement: With all that depends on the head.
        precision: "float32" or "int8".
    """
    limits = _limits_of_float32(agreement) if precision == "float32" else _limits_of_int8(agreement)
    return [sentence for is_kept, sentence in limits if not is_kept]


def _limits_of_float32(agreement: Agreement) -> Iterator[tuple[bool, str]]:
    difference = agreement.largest_difference or 0.0
    yield difference <= MAX_DIFFERENCE, f"probabilities differ by up to {difference:.4f}"


def _limits_of_int8(agreement: Agreement) -> Iterator[tuple[bool, str]]:
    n, differ, lost = agreement.n_images, agreement.n_labels_differ or 0, agreement.n_lost or 0
    difference = agreement.mean_difference or 0.0
    yield differ <= max(FEW, MAX_LABELS_DIFFER * n), f"{differ} of {n} labels differ"
    yield lost <= max(ONE, MAX_LOST * n), f"{lost} of {n} right labels are lost"
    yield difference <= MAX_MEAN_DIFFERENCE, f"probabilities differ by {difference:.4f} on average"
    cosine = agreement.features_cosine
    yield cosine >= MIN_FEATURES_COSINE, f"the cosine of the features is {cosine:.3f} on average"
    if agreement.maps_cosine is not None:
        cosine = agreement.maps_cosine
        yield cosine >= MIN_MAPS_COSINE, f"the cosine of the activation maps is {cosine:.3f} on average"


def _cosines(expected: NDArray[np.floating[Any]], found: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """float64 (N,), the cosine of each pair of rows; 1 for two rows of zeros."""
    first, second = (rows.reshape(len(rows), -1).astype(np.float64) for rows in (expected, found))
    products = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    is_zero = products == 0
    cosines: NDArray[np.float64] = np.where(
        is_zero, (first == second).all(axis=1), (first * second).sum(axis=1) / np.where(is_zero, 1, products)
    )
    return cosines
