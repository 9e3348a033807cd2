"""EfficientNet-Lite0, layer by layer: 16 blocks of an inverted bottleneck each, without squeeze-and-excitation.

Sources: Tan and Le 2019, arXiv:1905.11946 (the blocks and their widths), and the Lite variants published with its
official code: rectifiers capped at 6, no squeeze-and-excitation, (x - 127) / 128 on the way in. Windows are placed as
TensorFlow's "same" padding places them: where a stride of 2 leaves one row over, it is added at the bottom and right.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import keras

SIDE_PX = 224
N_FEATURES = 1280
N_IMAGENET_CLASSES = 1000
CATS = range(281, 286)  # of ImageNet's classes in their usual order: the house cats ...
DOGS = range(151, 269)  # ... and the dogs; wolves, foxes and big cats are others
HEADS = ("dog", "pet")  # the layers that the published network does not have
EPSILON = 1e-3  # of the batch normalisation; Keras's default is the same, PyTorch's is not
_N_STEM_FILTERS = 32


class Stage(NamedTuple):
    """Blocks of one width in a row; the first of them takes the stride."""

    n_blocks: int
    kernel: int
    stride: int
    expansion: int
    n_filters: int


STAGES = (
    Stage(1, kernel=3, stride=1, expansion=1, n_filters=16),
    Stage(2, kernel=3, stride=2, expansion=6, n_filters=24),
    Stage(2, kernel=5, stride=2, expansion=6, n_filters=40),
    Stage(3, kernel=3, stride=2, expansion=6, n_filters=80),
    Stage(3, kernel=5, stride=1, expansion=6, n_filters=112),
    Stage(4, kernel=5, stride=2, expansion=6, n_filters=192),
    Stage(1, kernel=3, stride=1, expansion=6, n_filters=320),
)


def build_efficientnet_lite0(side_px: int = SIDE_PX) -> "keras.Model":
    """The network that ships: features, what ImageNet's classifier makes of them, and two linear heads.

    One head tells dogs from cats by the features. The other tells pets from everything else by `pet_evidence` and
    by how far the first one leans to either side: what is clearly a cat or a dog is a pet.

    Args:
        side_px: Height and width of the input.
    Returns:
        A model from uint8 (N, side_px, side_px, 3) to float32 (N, 3): the probabilities of cat, dog and neither.
    """
    import keras

    features = build_features(side_px)
    logits = keras.layers.Dense(N_IMAGENET_CLASSES, name="imagenet")(features.output)
    lean = keras.layers.Dense(1, name="dog")(features.output)
    dog = keras.layers.Activation("sigmoid", name="dog_sigmoid")(lean)
    signs = keras.layers.Concatenate(name="signs")([pet_evidence(logits), abs(lean)])
    pet = keras.layers.Dense(1, activation="sigmoid", name="pet")(signs)
    outputs = keras.layers.Concatenate(name="p_cat_dog_neither")([pet * (1 - dog), pet * dog, 1 - pet])
    return keras.Model(features.input, outputs, name="efficientnet_lite0")


def pet_evidence(logits: "keras.KerasTensor") -> "keras.KerasTensor":
    """How much more ImageNet's classifier believes in a cat or dog than in anything else, in nats: (N, 1000) to (N, 1).

    It has seen a thousand kinds of things, so it knows strangers that a head trained on cats and dogs never met.
    """
    from keras import ops

    cats, dogs = logits[:, CATS.start : CATS.stop], logits[:, DOGS.start : DOGS.stop]
    others = (logits[:, : DOGS.start], logits[:, DOGS.stop : CATS.start], logits[:, CATS.stop :])
    pets = ops.logsumexp(ops.concatenate((cats, dogs), axis=1), axis=1, keepdims=True)
    return pets - ops.logsumexp(ops.concatenate(others, axis=1), axis=1, keepdims=True)


def build_features(side_px: int) -> "keras.Model":
    """The network up to its features: what a head tells classes from.

    Args:
        side_px: Height and width of the input; the published weights were trained at 224.
    Returns:
        A model from uint8 (N, side_px, side_px, 3), 0 to 255, to float32 (N, 1280), each 0 to 6, its weights drawn at
        random.
    """
    import keras

    pixels = keras.Input((side_px, side_px, 3), dtype="uint8", name="pixels")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(pixels)
    x = keras.layers.Conv2D(_N_STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = _normalise(x, "stem", rectify=True)
    number = 0
    for stage in STAGES:
        for index in range(stage.n_blocks):
            number += 1
            x = _add_block(x, f"block_{number:02}", stage, stage.stride if index == 0 else 1)
    x = keras.layers.Conv2D(N_FEATURES, 1, use_bias=False, name="top")(x)
    x = _normalise(x, "top", rectify=True)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(pixels, x, name="efficientnet_lite0_features")


def _add_block(x: "keras.KerasTensor", name: str, stage: Stage, stride: int) -> "keras.KerasTensor":
    """Widen by a 1 x 1 convolution, look around in each channel by itself, narrow; add what came in if it fits."""
    import keras

    came_in, n_inputs = x, int(x.shape[-1])
    if stage.expansion > 1:
        widened = n_inputs * stage.expansion
        x = keras.layers.Conv2D(widened, 1, use_bias=False, name=f"{name}_expand")(x)
        x = _normalise(x, f"{name}_expand", rectify=True)
    look = keras.layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    x = _normalise(look(x), f"{name}_depthwise", rectify=True)
    x = keras.layers.Conv2D(stage.n_filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = _normalise(x, f"{name}_project", rectify=False)
    if stride == 1 and n_inputs == stage.n_filters:
        x = keras.layers.Add(name=f"{name}_add")([came_in, x])
    return x


def _normalise(x: "keras.KerasTensor", name: str, *, rectify: bool) -> "keras.KerasTensor":
    import keras

    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if rectify else x
