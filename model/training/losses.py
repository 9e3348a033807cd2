"""The loss of training, by the outputs of a network.

| Outputs | Labels | Loss |
|---|---|---|
| (N, 1): p(dog) | 0, 1 | binary cross-entropy |
| (N, 3): p(cat), p(dog), p(neither) | 0, 1, 2 | cross-entropy |
| (N, 3), without images of neither class | 0, 1 | cross-entropy of p(cat) and p(dog) as shares of their sum |

The last one does not train the output for neither: without an example it would learn that every image shows a pet.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays.metrics import accuracy, log_loss

NEITHER = 2  # the label; cat is 0, dog is 1


def make_loss(n_outputs: int, has_neither: bool, smoothing: float) -> Callable[[Any, Any], tuple[Any, Any]]:
    """The loss as a function for graphs.

    Args:
        n_outputs: 1 or 3.
        has_neither: Whether there are training images of neither class.
        smoothing: 0.1 trains towards 0.05 and 0.95 (for two labels).
    Returns:
        From labels int32 (N,) and outputs float32 (N, n_outputs), 0 to 1, to the mean loss in nats and the accuracy.
    """
    import keras
    from keras import ops

    def of_one(labels: Any, outputs: Any) -> tuple[Any, Any]:
        p_second = outputs[:, 0]
        positive = ops.cast(labels, "float32")
        targets = positive * (1 - smoothing) + smoothing / 2
        loss = ops.mean(ops.binary_crossentropy(targets, p_second))
        return loss, ops.mean(ops.cast(ops.equal(p_second > 0.5, positive > 0.5), "float32"))

    def of_three(labels: Any, outputs: Any) -> tuple[Any, Any]:
        shares = outputs if has_neither else outputs[:, :NEITHER]
        n_labels = shares.shape[1]
        targets = ops.one_hot(labels, n_labels) * (1 - smoothing) + smoothing / n_labels
        loss = ops.mean(keras.losses.categorical_crossentropy(targets, shares))  # divides by the sum of the shares
        right = ops.equal(ops.cast(ops.argmax(shares, axis=1), "int32"), labels)
        return loss, ops.mean(ops.cast(right, "float32"))

    return of_one if n_outputs == 1 else of_three


def measure(outputs: NDArray[np.float32], labels: NDArray[np.integer[Any]], has_neither: bool) -> tuple[float, float]:
    """The same loss on arrays, without smoothing.

    Args:
        outputs: float32 (N, 1) or (N, 3), 0 to 1.
        labels: int (N,), 0, 1 or NEITHER.
        has_neither: As for `make_loss`.
    Returns:
        The mean loss in nats, and the accuracy.
    """
    if outputs.shape[1] == 1:
        shares = np.concatenate([1 - outputs, outputs], axis=1)
    else:
        shares = outputs if has_neither else outputs[:, :NEITHER]
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-7)
    return log_loss(shares, labels), accuracy(shares, labels)
