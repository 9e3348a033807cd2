"""Probabilities as they are stored, and the label that a confidence is shown with.

Stored probabilities are rounded to millionths, and are never more than 1 together. A confidence falls into the bin of
its thousandth (0 to 1000), thresholds are thousandths too, so sums over bins equal counts of rows.
"""

from collections.abc import Sequence

from core.base.network_catalog import CLASSES

MILLION = 1_000_000
UNSURE = "unsure"
DECIMALS = 6


def to_millionths(probabilities: Sequence[float]) -> list[int]:
    """Probabilities as whole millionths whose sum does not pass one million; the largest gives way."""
    millionths = [round(float(value) * MILLION) for value in probabilities]
    excess = sum(millionths) - MILLION
    if excess > 0:
        millionths[millionths.index(max(millionths))] -= excess
    return millionths


def shown_label(class_index: int | None, confidence: int | None, threshold_milli: int) -> str | None:
    """The label that a result is shown with; never stored."""
    if class_index is None or confidence is None:
        return None
    return CLASSES[class_index] if confidence // 1000 >= threshold_milli else UNSURE


def p_neither(probabilities: Sequence[float]) -> float:
    """The probability that a picture shows none of the classes: what they leave."""
    return max(round(1 - sum(probabilities), DECIMALS), 0.0)


def is_neither(probabilities: Sequence[float]) -> bool:
    """Whether "none of the classes" has more than half of the probability; if unsure, it is probably neither."""
    return p_neither(probabilities) > 0.5
