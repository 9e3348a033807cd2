"""A network with batch normalisation for training, and the fold back into the plain network.

The normalised network has batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) before each rectifier and
drops some inputs of its dense layers (Srivastava et al. 2014, JMLR 15): it trains faster and better. After training
nothing is dropped, and the normalisation is a fixed scale and offset for each channel, which is folded into the kernel
and bias before it. The result is the plain network, layer by layer, with the same outputs.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.registry import build

if TYPE_CHECKING:
    import keras

_SUFFIX = "_norm"


def build_normalised(network: str, dropout: float = 0.0) -> "keras.Model":
    """The network with batch normalisation before each rectifier, untrained.

    Args:
        network: A name of `registry.ARCHITECTURES`, of a network whose layers are in one row.
        dropout: Share of the inputs of each dense layer that is dropped in training, 0 to 1.
    Returns:
        A model of the same input and output as `registry.build(network)`.
    """
    import keras

    plain = build(network)
    layers: list[keras.layers.Layer] = []
    for layer in plain.layers:
        config = layer.get_config()
        if dropout and isinstance(layer, keras.layers.Dense):
            layers.append(keras.layers.Dropout(dropout, name=layer.name + "_dropout"))
        is_rectified = config.get("activation") == "relu"
        layers.append(type(layer).from_config(config | {"activation": "linear"} if is_rectified else config))
        if is_rectified:
            layers.append(keras.layers.BatchNormalization(name=layer.name + _SUFFIX))
            layers.append(keras.layers.ReLU(name=layer.name + "_relu"))
    pixels = keras.Input(plain.input_shape[1:], dtype="uint8", name="pixels")
    return keras.Sequential([pixels, *layers], name=f"{plain.name}_normalised")


def fold(normalised: "keras.Model", network: str) -> "keras.Model":
    """The plain network, with the trained normalisation folded into its weights.

    Args:
        normalised: From `build_normalised(network)`.
        network: The same name.
    Returns:
        A model from `registry.build` with the outputs that the normalised network has in inference, up to rounding.
    """
    plain = build(network)
    names = {layer.name for layer in normalised.layers}
    for layer in plain.layers:
        weights = normalised.get_layer(layer.name).get_weights()
        if layer.name + _SUFFIX in names:
            kernel, bias = weights
            weights = _fold_layer(kernel, bias, normalised.get_layer(layer.name + _SUFFIX))
        layer.set_weights(weights)
    return plain


def _fold_layer(kernel: NDArray[np.float32], bias: NDArray[np.float32], norm: Any) -> list[NDArray[np.float32]]:
    """Kernel (..., C) and bias (C,) with the outputs of the layer and its normalisation together."""
    gain, offset, mean, variance = (weights.astype(np.float64) for weights in norm.get_weights())
    scale = gain / np.sqrt(variance + norm.epsilon)
    return [(kernel * scale).astype(np.float32), ((bias - mean) * scale + offset).astype(np.float32)]
