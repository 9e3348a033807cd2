"""Make probabilities honest, and choose from which confidence on a picture is labelled.

Both are fitted on the validation part: pictures that the network has not learned from.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays.metrics import Labels, Probabilities, wrong_and_unsure

_SMALLEST = 1e-7  # float32 cannot tell smaller probabilities from 0 beside 1
_TEMPERATURES = np.geomspace(0.25, 4.0, 401)  # steps of 0.7 %: finer than any validation part can tell


def calibrate(outputs: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float32]:
    """Turn a network's outputs into the probabilities of both classes, its logits divided by a temperature.

    Args:
        outputs: Raw probabilities: (N, 1), of the second class, or (N, 3), of both classes and of neither.
        temperature: Positive, no unit; 1.0 changes nothing.
    Returns:
        (N, 2), values in [0, 1]; each row sums to 1 within float32's precision, or to what neither leaves.
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
    """The temperature with the smallest log loss, to four decimals, within 0.25 to 4."""
    losses = [_loss(calibrate(outputs, float(temperature)), labels) for temperature in _TEMPERATURES]
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 4)


def choose_threshold(
    probabilities: Probabilities,
    labels: Labels,
    *,
    max_wrong: float,
    max_unsure: float,
    strangers: Probabilities | None = None,
    max_taken: float = 1.0,
    at_least: float = 0.0,
) -> float:
    """The lowest threshold at which little is labelled wrong, unless that leaves too much unlabelled.

    Args:
        probabilities: (N, C), calibrated.
        labels: (N,), what people say.
        max_wrong: Share of all pictures that may get a wrong label.
        max_unsure: Share of all pictures that may get none; where not everything can be had, this one is kept.
        strangers: (M, C), calibrated, of pictures of neither class, if there are any.
        max_taken: Share of the strangers that may get a label.
        at_least: No threshold below this one, unless that leaves too much unlabelled.
    Returns:
        A threshold in whole thousandths.
    """
    best = 0.0
    for threshold in np.arange(0, 1001) / 1000:
        wrong, unsure = wrong_and_unsure(probabilities, labels, float(threshold))
        if unsure > max_unsure:
            break
        best = float(threshold)
        taken = 0.0 if strangers is None else float((strangers.max(axis=1) >= threshold).mean())
        if threshold >= at_least and wrong <= max_wrong and taken <= max_taken:
            break
    return best


def _loss(probabilities: Probabilities, labels: Labels) -> float:
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())
