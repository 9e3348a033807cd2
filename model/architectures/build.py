"""The layers of each network. Inputs are uint8 pixels, scaling is a layer, so no caller can scale wrongly.

Keras and TensorFlow are imported inside the functions: importing this module costs nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from model.architectures.efficientnet import build_efficientnet_lite0

if TYPE_CHECKING:
    import keras

SEED_SIDE_PX = 64


def build(network: str) -> "keras.Model":
    """Make an untrained network.

    Args:
        network: A name of `NETWORKS`.
    Returns:
        A model from uint8 (N, side, side, 3), values 0 to 255, to float32: (N, 1), the probability of the second class,
        or (N, 3), the probabilities of both classes and of neither.
    Raises:
        ValueError: There is no network of that name.
    """
    if network not in NETWORKS:
        raise ValueError(f"expected one of the networks {', '.join(sorted(NETWORKS))}; got {network!r}")
    return NETWORKS[network]()


def build_seed_cnn() -> "keras.Model":
    """The network of the original description: two convolutions, two dense layers, 813,217 weights.

    Returns:
        A model from uint8 (N, 64, 64, 3) to float32 (N, 1), the probability of a dog.
    """
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SEED_SIDE_PX, SEED_SIDE_PX, 3), dtype="uint8", name="pixels"),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(32, 3, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(32, 3, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense_1"),
            layers.Dense(1, activation="sigmoid", name="p_dog"),
        ],
        name="seed_cnn",
    )


NETWORKS: dict[str, Callable[[], "keras.Model"]] = {
    "seed-cnn": build_seed_cnn,
    "efficientnet-lite0": build_efficientnet_lite0,
}
