"""What the layers below the heads make of pictures: what the heads are fitted on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.inference.classifier import freeze
from model.inference.devices import CPU, batch_sizes, count_bytes

if TYPE_CHECKING:
    import keras

_BATCH = 128


class Described(NamedTuple):
    """Pictures as the heads see them.

    Attributes:
        rows: (N, 1281): the features, then `efficientnet.pet_evidence`.
        labels: (N,), 0 or 1; `folders.NEITHER` of strangers.
    """

    rows: NDArray[np.float32]
    labels: NDArray[np.integer]


def describe_images(model: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 1281), as `Described.rows`, of uint8 pictures of the network's input size."""
    import keras

    rows = keras.Model(model.input, _rows_of(model))
    forward: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = freeze(rows)
    size = batch_sizes(CPU, count_bytes(rows))[-1]
    padded = np.concatenate([images, np.zeros((-len(images) % size, *images.shape[1:]), np.uint8)])
    return np.concatenate([forward(padded[i : i + size]) for i in range(0, len(padded), size)])[: len(images)]


def describe_activations(model: "keras.Model", first: str, activations: NDArray[np.float16]) -> NDArray[np.float32]:
    """(N, 1281), as `Described.rows`, of what the layers before `first` made of pictures."""
    import keras
    import tensorflow as tf

    rest = keras.Model(model.get_layer(first).input, _rows_of(model))
    forward = tf.function(
        lambda some: rest(tf.cast(some, tf.float32), training=False), autograph=False, reduce_retracing=True
    )
    starts = range(0, len(activations), _BATCH)
    return np.concatenate([np.asarray(forward(np.asarray(activations[i : i + _BATCH]))) for i in starts])


def _rows_of(model: "keras.Model") -> "keras.KerasTensor":
    import keras

    layers = [model.get_layer("features").output, model.get_layer("signs").output[:, :1]]
    return keras.layers.Concatenate()(layers)
