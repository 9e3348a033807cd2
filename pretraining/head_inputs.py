"""The inputs of the heads: features and the published classifier's evidence, on which the heads are fitted."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture

if TYPE_CHECKING:
    import keras

_BATCH = 128


class LabelledInputs(NamedTuple):
    """Inputs of the heads with labels.

    Attributes:
        rows: float32 (N, F + 1): the features, then the evidence of a pet.
        labels: int (N,), 0 or 1; `labelled_folders.NEITHER` for images of neither class.
    """

    rows: NDArray[np.float32]
    labels: NDArray[np.integer]


def compute_from_activations(
    model: "keras.Model", architecture: Architecture, first: str, activations: NDArray[np.float16]
) -> NDArray[np.float32]:
    """Inputs of the heads from the input of a layer.

    Args:
        model: A network ...
        architecture: ... and its architecture.
        first: The layer.
        activations: float16 (N, height, width, channels), its input for N images.
    Returns:
        float32 (N, F + 1), as `LabelledInputs.rows`.
    """
    import keras
    import tensorflow as tf

    features = model.get_layer(architecture.head.features).output
    evidence = model.get_layer(architecture.get_neither_head().inputs).output[:, :1]
    rows = keras.layers.Concatenate()([features, evidence])
    last_layers = keras.Model(model.get_layer(first).input, rows)
    forward = tf.function(
        lambda batch: last_layers(tf.cast(batch, tf.float32), training=False), autograph=False, reduce_retracing=True
    )
    starts = range(0, len(activations), _BATCH)
    return np.concatenate([np.asarray(forward(np.asarray(activations[i : i + _BATCH]))) for i in starts])
