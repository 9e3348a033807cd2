"""Calibration of probabilities, and the confidence threshold from which an image gets a label.

Both are fitted on the validation split: images that the network was not trained on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays.metrics import Labels, Probabilities, wrong_and_unsure

_SMALLEST = 1e-7  # float32 cannot represent 1 minus a smaller probability
_TEMPERATURES = np.geomspace(0.25, 4.0, 401)  # steps of 0.7 %: finer than any validation split can resolve


def calibrate(outputs: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float32]:
    """Turn a network's outputs into probabilities of both classes, with the logits divided by a temperature.

    Args:
        outputs: float (N, 1), the probability of the second class, or (N, 3), of both classes and of neither; 0 to 1.
        temperature: Positive, no unit; 1.0 changes nothing.
    Returns:
        float32 (N, 2), 0 to 1. Each row sums to 1 within float32's precision, or to 1 minus the probability of neither.
    Raises:
        ValueError: The temperature is not positive, or the outputs have another shape.
    Source: Guo et al. 2017, arXiv:1706.04599 (temperature scaling).
    """
    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0; got {temperature}")
    if outputs.ndim != 2 or outputs.shape[1] not in (1, 3):
        raise ValueError(f"expected outputs (N, 1) or (N, 3); got {outputs.shape}")
    p = outputs.astype(np.float64)
    if outputs.shape[1] == 1:
        p = np.concatenate([1 - p, p], axis=1)
    powers = np.clip(p, _SMALLEST, 1 - _SMALLEST) ** (1 / temperature)  # softmax(log p / T)
    calibrated: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return calibrated[:, :2].astype(np.float32)


def fit_temperature(outputs: NDArray[np.floating[Any]], labels: Labels) -> float:
    """The temperature with the smallest log loss, to four decimals, from 0.25 to 4.

    Args:
        outputs: float (N, 1) or (N, 3), 0 to 1, as `calibrate` takes them.
        labels: int (N,), indices of classes.
    """
    losses = [_loss(calibrate(outputs, float(temperature)), labels) for temperature in _TEMPERATURES]
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 4)


def choose_threshold(
    probabilities: Probabilities,
    labels: Labels,
    *,
    max_wrong: float,
    max_unsure: float,
    negatives: Probabilities | None = None,
    max_taken: float = 1.0,
    at_least: float = 0.0,
) -> float:
    """The lowest threshold at which few images get a wrong label, unless that leaves too many without one.

    Args:
        probabilities: float (N, C), 0 to 1, calibrated.
        labels: int (N,), indices of classes.
        max_wrong: Share of all images that may get a wrong label.
        max_unsure: Share of all images that may get none. If not all limits can be kept, this one is.
        negatives: float (M, C), 0 to 1, calibrated, of images of neither class, if there are any.
        max_taken: Share of the negatives that may get a label.
        at_least: No threshold below this one, unless that leaves too many images without a label.
    Returns:
        A threshold in whole thousandths, 0 to 1.
    """
    best = 0.0
    for threshold in np.arange(0, 1001) / 1000:
        wrong, unsure = wrong_and_unsure(probabilities, labels, float(threshold))
        if unsure > max_unsure:
            break
        best = float(threshold)
        taken = 0.0 if negatives is None else float((negatives.max(axis=1) >= threshold).mean())
        if threshold >= at_least and wrong <= max_wrong and taken <= max_taken:
            break
    return best


def _loss(probabilities: Probabilities, labels: Labels) -> float:
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())
