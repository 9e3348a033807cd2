"""The inputs of the heads: features and the published classifier's evidence, on which the heads are fitted."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture
from model.inference.devices import CPU, batch_sizes, count_bytes
from model.inference.tensorflow_engine import freeze

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


def compute_from_images(
    model: "keras.Model", architecture: Architecture, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Inputs of the heads for images.

    Args:
        model: A network ...
        architecture: ... and its architecture.
        images: uint8 (N, side, side, 3), 0 to 255, in the size of the network's input.
    Returns:
        float32 (N, F + 1), as `LabelledInputs.rows`.
    """
    import keras

    rows = keras.Model(model.input, _rows_of(model, architecture))
    forward: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = freeze(rows)
    size = batch_sizes(CPU, count_bytes(rows))[-1]
    padded = np.concatenate([images, np.zeros((-len(images) % size, *images.shape[1:]), np.uint8)])
    return np.concatenate([forward(padded[i : i + size]) for i in range(0, len(padded), size)])[: len(images)]


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

    last_layers = keras.Model(model.get_layer(first).input, _rows_of(model, architecture))
    forward = tf.function(
        lambda batch: last_layers(tf.cast(batch, tf.float32), training=False), autograph=False, reduce_retracing=True
    )
    starts = range(0, len(activations), _BATCH)
    return np.concatenate([np.asarray(forward(np.asarray(activations[i : i + _BATCH]))) for i in starts])


def _rows_of(model: "keras.Model", architecture: Architecture) -> "keras.KerasTensor":
    import keras

    features = model.get_layer(architecture.head.features).output
    evidence = model.get_layer(architecture.get_neither_head().inputs).output[:, :1]
    return keras.layers.Concatenate()([features, evidence])
