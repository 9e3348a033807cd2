"""The layers of a published network before the first trained one: in float, or in int8 as they will be served.

In int8 they take a quarter of the time, and the trained layers learn to read what they will get.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.conversion.body import convert_layers
from model.inference.litert_engine import LiteRTLayers

if TYPE_CHECKING:
    import keras

Frozen = Callable[[NDArray[np.uint8]], NDArray[np.float16]]


def freeze_in_float(model: "keras.Model", first: str) -> Frozen:
    """The layers before a layer, in TensorFlow.

    Returns:
        From uint8 (N, side, side, 3) to the input of the layer, float16 (N, height, width, channels).
    """
    import keras
    import tensorflow as tf

    layers = keras.Model(model.input, model.get_layer(first).input)
    forward = tf.function(
        lambda images: tf.cast(layers(images, training=False), tf.float16), autograph=False, reduce_retracing=True
    )
    return lambda images: np.asarray(forward(images))


def freeze_in_int8(model: "keras.Model", first: str, calibration: NDArray[np.uint8]) -> Frozen:
    """The same in LiteRT.

    Args:
        calibration: uint8 (N, side, side, 3), as for `convert_layers`.
    """
    import keras

    layers = LiteRTLayers(convert_layers(keras.Model(model.input, model.get_layer(first).input), calibration))
    return lambda images: layers.run(images).astype(np.float16)
