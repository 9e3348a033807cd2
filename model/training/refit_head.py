"""A new head on a body that stays as it is, fitted on stored features: in seconds.

    features (N, F) ─► outputs of the layers above them (head_outputs.py) ─► both heads, by Newton's method

Everything here is NumPy; TensorFlow need not be loaded. The new head is pulled towards the old one, as if that stood
for `OLD_HEAD_IMAGES` more images, so a few labels change little and the head does not forget. For a label that was
given because a version was wrong, the old head's prediction is a target too (Li and Hoiem 2016, arXiv:1606.09282):
otherwise labels of nothing but mistakes would turn the head into its opposite.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.head_outputs import class_logits_of, neither_inputs, read_layer, sigmoid
from model.architectures.registry import get_architecture
from model.arrays.logistic_regression import fit_logistic
from model.training.losses import NEITHER

Arrays = dict[str, NDArray[Any]]
DECAY = 0.02
OLD_HEAD_IMAGES = 2000
BIASED_WEIGHT = 0.2  # of a label that was given because of a prediction; the old head's prediction has the rest
NEITHER_DECAY = 1e-3


def refit(
    network: str,
    arrays: Mapping[str, NDArray[Any]],
    features: NDArray[Any],
    labels: NDArray[Any],
    is_unbiased: NDArray[np.bool_] | None = None,
) -> Arrays:
    """The weights with new heads.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        arrays: The weights to start from. All but the heads stay as they are.
        features: float16 or float32 (N, F), of the training split.
        labels: int (N,), 0, 1 or `losses.NEITHER`. Only a head for neither, where there is one, is trained on NEITHER.
        is_unbiased: bool (N,), whether each label was given without sight of a prediction; None: all were.
    Returns:
        All weights by name, in the dtypes of `arrays`.
    Raises:
        ValueError: One of the two classes is missing.
    """
    architecture = get_architecture(network)
    counts = np.ones(len(labels)) if is_unbiased is None else np.where(is_unbiased, 1.0, BIASED_WEIGHT)
    has_class = labels != NEITHER
    class_features, class_labels = features[has_class].astype(np.float32), labels[has_class]
    if len(set(class_labels.tolist())) < 2:
        raise ValueError("expected labels of both classes, to fit a head that separates them")
    new = dict(arrays)
    _fit(new, architecture.head.class_layer, class_features, class_labels, counts[has_class], DECAY)
    neither_head = architecture.neither_head
    if neither_head is not None and not has_class.all():
        inputs = neither_inputs(neither_head, arrays, features, class_logits_of(network, new, features))
        _fit(new, neither_head.layer, inputs, has_class, counts, NEITHER_DECAY)
    return new


def _fit(
    arrays: Arrays, layer: str, rows: NDArray[np.float32], labels: NDArray[Any], counts: NDArray[Any], decay: float
) -> None:
    """Refit a layer, pulled towards its old weights. A label weighs `counts`, the old layer's prediction the rest."""
    old = read_layer(arrays, layer)
    targets = counts * labels + (1 - counts) * sigmoid(rows @ old[0] + old[1])[:, 0]
    _write(arrays, layer, *fit_logistic(rows, targets, decay * (1 + OLD_HEAD_IMAGES / len(rows)), start=old))


def _write(arrays: Arrays, layer: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
    for name, weights in ((f"{layer}.kernel", kernel), (f"{layer}.bias", bias)):
        arrays[name] = weights.astype(arrays[name].dtype)
