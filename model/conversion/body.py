"""The body of a network as a flatbuffer of LiteRT. The heads stay in float32: their logits are differences of large
sums, which int8 would drown in rounding.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.registry import build, get_architecture
from model.artifacts.weights import set_weights
from model.inference.tensorflow_engine import make_graph

if TYPE_CHECKING:
    import keras


def convert_body(
    network: str, arrays: Mapping[str, NDArray[Any]], calibration: NDArray[np.uint8] | None = None
) -> bytes:
    """Convert the layers of a network up to its feature map, or up to its features if it has no such map.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        arrays: Its weights by name.
        calibration: uint8 (N, side, side, 3), 0 to 255: photographs that show the range of each layer's output, which
            is then int8, as the weights are (Jacob et al. 2018, arXiv:1712.05877); None: everything stays float32.
    Returns:
        The flatbuffer: from uint8 (1, side, side, 3) to float32.
    """
    import keras

    model = build(network)
    set_weights(model, arrays)
    head = get_architecture(network).head
    body = keras.Model(model.inputs[0], model.get_layer(head.feature_map or head.features).output)
    return convert_layers(body, calibration)


def convert_layers(layers: "keras.Model", calibration: NDArray[np.uint8] | None = None) -> bytes:
    """Convert some layers of a network.

    Args:
        layers: From uint8 (N, side, side, 3) to float32.
        calibration: As for `convert_body`.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([make_graph(layers)])
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None]] for image in calibration)
    with _quiet():
        flatbuffer: bytes = converter.convert()
    return flatbuffer


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the converter's advice to give it the variables, since a graph of constants has none."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
