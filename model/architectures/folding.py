"""A twin of a network that learns faster and better, and the way back.

The twin has batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) before each rectifier and drops some inputs
of its dense layers (Srivastava et al. 2014, JMLR 15). Once trained, nothing is dropped, and the normalisation is a
fixed scale and offset for each channel, which melts into the kernel and bias before it: the result is the original
network, layer by layer, with the same answers.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.build import build

if TYPE_CHECKING:
    import keras

_SUFFIX = "_norm"


def build_twin(network: str, dropout: float = 0.0) -> "keras.Model":
    """The network with normalisation before each rectifier, untrained.

    Args:
        network: A name of `networks.NETWORKS`; its layers are in one row.
        dropout: Share of the inputs of each dense layer that is dropped in training.
    Returns:
        A model of the same input and output as `networks.build(network)`.
    """
    import keras

    plain = build(network)
    layers: list[keras.layers.Layer] = []
    for layer in plain.layers:
        config = layer.get_config()
        if dropout and isinstance(layer, keras.layers.Dense):
            layers.append(keras.layers.Dropout(dropout, name=layer.name + "_dropout"))
        rectified = config.get("activation") == "relu"
        layers.append(type(layer).from_config(config | {"activation": "linear"} if rectified else config))
        if rectified:
            layers.append(keras.layers.BatchNormalization(name=layer.name + _SUFFIX))
            layers.append(keras.layers.ReLU(name=layer.name + "_relu"))
    pixels = keras.Input(plain.input_shape[1:], dtype="uint8", name="pixels")
    return keras.Sequential([pixels, *layers], name=f"{plain.name}_twin")


def fold(twin: "keras.Model", network: str) -> "keras.Model":
    """The original network, with the trained twin's normalisation melted into its weights.

    Args:
        twin: From `build_twin(network)`.
        network: The same name.
    Returns:
        A model from `networks.build` whose answers are the twin's in inference, up to rounding.
    """
    plain = build(network)
    names = {layer.name for layer in twin.layers}
    for layer in plain.layers:
        weights = twin.get_layer(layer.name).get_weights()
        if layer.name + _SUFFIX in names:
            kernel, bias = weights
            weights = _melt(kernel, bias, twin.get_layer(layer.name + _SUFFIX))
        layer.set_weights(weights)
    return plain


def _melt(kernel: NDArray[np.float32], bias: NDArray[np.float32], norm: Any) -> list[NDArray[np.float32]]:
    """Kernel (..., C) and bias (C,) that give what the layer and its normalisation gave."""
    gain, offset, mean, variance = (weights.astype(np.float64) for weights in norm.get_weights())
    scale = gain / np.sqrt(variance + norm.epsilon)
    return [(kernel * scale).astype(np.float32), ((bias - mean) * scale + offset).astype(np.float32)]
