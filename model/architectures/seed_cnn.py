"""`seed-cnn`, the network of the original description: two convolutions, two dense layers, 813,217 weights.

Inputs are uint8 pixels. Scaling is a layer, so no caller can scale wrongly.
"""

from typing import TYPE_CHECKING

from model.architectures.architecture import Architecture, Head

if TYPE_CHECKING:
    import keras

SIDE_PX = 64
_FEATURES, _CLASS_LAYER = "dense_1", "p_dog"


def build_seed_cnn() -> "keras.Model":
    """The network with random weights.

    Returns:
        A model from uint8 (N, 64, 64, 3) to float32 (N, 1), the probability of a dog.
    """
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((SIDE_PX, SIDE_PX, 3), dtype="uint8", name="pixels"),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(32, 3, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(32, 3, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name=_FEATURES),
            layers.Dense(1, activation="sigmoid", name=_CLASS_LAYER),
        ],
        name="seed_cnn",
    )


ARCHITECTURE = Architecture(name="seed-cnn", build=build_seed_cnn, head=Head(_FEATURES, _CLASS_LAYER))
