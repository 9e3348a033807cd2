"""Make probabilities honest, and choose from which confidence on a picture is labelled.

Both are fitted on the validation part: pictures that the network has not learned from.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.evaluate import Labels, Probabilities, wrong_and_unsure

_SMALLEST = 1e-7  # float32 cannot tell smaller probabilities from 0 beside 1
_TEMPERATURES = np.geomspace(0.25, 4.0, 401)  # steps of 0.7 %: finer than any validation part can tell


def calibrate(p_second: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float32]:
    """Turn the output of a sigmoid into the probabilities of both classes, its logit divided by a temperature.

    Args:
        p_second: (N,), raw probabilities of the second class.
        temperature: Positive, no unit; 1.0 changes nothing.
    Returns:
        (N, 2), values in [0, 1], each row sums to 1 within float32's precision.
    Raises:
        ValueError: The temperature is not positive.
    Source: Guo et al. 2017, arXiv:1706.04599 (temperature scaling).
    """
    if not temperature > 0:
        raise ValueError(f"expected a temperature above 0; got {temperature}")
    p = np.clip(p_second.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    calibrated = 1 / (1 + ((1 - p) / p) ** (1 / temperature))
    return np.stack([1 - calibrated, calibrated], axis=1).astype(np.float32)


def fit_temperature(p_second: NDArray[np.floating[Any]], labels: Labels) -> float:
    """The temperature with the smallest log loss, to four decimals, within 0.25 to 4."""
    losses = [_loss(calibrate(p_second, float(temperature)), labels) for temperature in _TEMPERATURES]
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 4)


def choose_threshold(probabilities: Probabilities, labels: Labels, *, max_wrong: float, max_unsure: float) -> float:
    """The lowest threshold at which little is labelled wrong, unless that leaves too much unlabelled.

    Args:
        probabilities: (N, C), calibrated.
        labels: (N,), what people say.
        max_wrong: Share of all pictures that may get a wrong label.
        max_unsure: Share of all pictures that may get none; where both cannot be had, this one is kept.
    Returns:
        A threshold in whole thousandths.
    """
    best = 0.0
    for threshold in np.arange(0, 1001) / 1000:
        wrong, unsure = wrong_and_unsure(probabilities, labels, float(threshold))
        if unsure > max_unsure:
            break
        best = float(threshold)
        if wrong <= max_wrong:
            break
    return best


def _loss(probabilities: Probabilities, labels: Labels) -> float:
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())
