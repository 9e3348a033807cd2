"""Probabilities as they are stored, and the label that a confidence is shown with.

Stored probabilities are rounded to millionths, and are never more than 1 together. A confidence falls into the bin of
its thousandth (0 to 1000), thresholds are thousandths too, so sums over bins equal counts of rows.
"""

from collections.abc import Sequence

from core.base.network_catalog import CLASSES

MILLION = 1_000_000
UNSURE = "unsure"


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
