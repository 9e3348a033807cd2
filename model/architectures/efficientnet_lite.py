"""EfficientNet-Lite, layer by layer: inverted bottleneck blocks without squeeze-and-excitation, and two heads.

Sources: Tan and Le 2019, arXiv:1905.11946 (the blocks and their widths), and the Lite variants published with its
official code: rectifiers capped at 6, no squeeze-and-excitation, inputs scaled by (x - 127) / 128. Windows are placed
as TensorFlow's "same" padding places them: if a stride of 2 needs one more row or column, it is added at the bottom or
right.

A light network has the layers of the smallest one. It takes the images of its teacher, but shrinks them first.
"""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture, Head, LastLayers, NeitherHead

if TYPE_CHECKING:
    import keras

N_FEATURES = 1280
N_IMAGENET_CLASSES = 1000
CATS = range(281, 286)  # of ImageNet's classes in their usual order: the house cats ...
DOGS = range(151, 269)  # ... and the dogs. Wolves, foxes and big cats do not count as pets.
EPSILON = 1e-3  # of the batch normalisation; Keras's default is the same, PyTorch's is not
_FEATURES, _FEATURE_MAP, _CLASSIFIER = "features", "top_relu", "imagenet"
_CLASS_LAYER, _NEITHER_LAYER, _NEITHER_INPUTS = "dog", "pet", "signs"
_N_STEM_FILTERS = 32


class Stage(NamedTuple):
    """A row of blocks of the same width; only the first block applies the stride."""

    n_blocks: int
    kernel: int
    stride: int
    expansion: int
    n_filters: int


class Size(NamedTuple):
    """The size of a network.

    Attributes:
        side_px: Height and width of the input.
        stages: Of the body.
        body_px: Height and width to which images are shrunk before the first convolution; None: they are not.
    """

    side_px: int
    stages: tuple[Stage, ...]
    body_px: int | None = None


_LITE0_STAGES = (
    Stage(1, kernel=3, stride=1, expansion=1, n_filters=16),
    Stage(2, kernel=3, stride=2, expansion=6, n_filters=24),
    Stage(2, kernel=5, stride=2, expansion=6, n_filters=40),
    Stage(3, kernel=3, stride=2, expansion=6, n_filters=80),
    Stage(3, kernel=5, stride=1, expansion=6, n_filters=112),
    Stage(4, kernel=5, stride=2, expansion=6, n_filters=192),
    Stage(1, kernel=3, stride=1, expansion=6, n_filters=320),
)
_LITE2_STAGES = (  # 1.1 times as wide, 1.2 times as deep
    Stage(1, kernel=3, stride=1, expansion=1, n_filters=16),
    Stage(3, kernel=3, stride=2, expansion=6, n_filters=24),
    Stage(3, kernel=5, stride=2, expansion=6, n_filters=48),
    Stage(4, kernel=3, stride=2, expansion=6, n_filters=88),
    Stage(4, kernel=5, stride=1, expansion=6, n_filters=120),
    Stage(5, kernel=5, stride=2, expansion=6, n_filters=208),
    Stage(1, kernel=3, stride=1, expansion=6, n_filters=352),
)
LITE0 = Size(224, _LITE0_STAGES)  # the published weights were trained at these sizes
LITE2 = Size(260, _LITE2_STAGES)
LITE0_FAST = Size(LITE0.side_px, _LITE0_STAGES, body_px=128)
LITE2_FAST = Size(LITE2.side_px, _LITE0_STAGES, body_px=128)


def build_efficientnet_lite(size: Size) -> "keras.Model":
    """The network with random weights: features, ImageNet's classifier on them, and two linear heads.

    One head separates dogs from cats by the features. The other separates pets from everything else by
    `pet_evidence` and by the absolute value of the first head's logit: what is clearly a cat or a dog is a pet.

    Returns:
        A model from uint8 (N, side_px, side_px, 3) to float32 (N, 3): the probabilities of cat, dog and neither.
    """
    import keras

    features = build_features(size)
    imagenet_logits = keras.layers.Dense(N_IMAGENET_CLASSES, name=_CLASSIFIER)(features.output)
    class_logit = keras.layers.Dense(1, name=_CLASS_LAYER)(features.output)
    dog = keras.layers.Activation("sigmoid", name="dog_sigmoid")(class_logit)
    signs = keras.layers.Concatenate(name=_NEITHER_INPUTS)([pet_evidence(imagenet_logits), abs(class_logit)])
    pet = keras.layers.Dense(1, activation="sigmoid", name=_NEITHER_LAYER)(signs)
    outputs = keras.layers.Concatenate(name="p_cat_dog_neither")([pet * (1 - dog), pet * dog, 1 - pet])
    return keras.Model(features.input, outputs, name="efficientnet_lite")


def pet_evidence(logits: "keras.KerasTensor") -> "keras.KerasTensor":
    """The log odds of a cat or dog against all other ImageNet classes, in nats: float32 (N, 1000) to (N, 1).

    ImageNet's classifier has been trained on a thousand kinds of things, so it recognises images of neither class that
    a head trained on cats and dogs has never seen.
    """
    from keras import ops

    cats, dogs = logits[:, CATS.start : CATS.stop], logits[:, DOGS.start : DOGS.stop]
    others = (logits[:, : DOGS.start], logits[:, DOGS.stop : CATS.start], logits[:, CATS.stop :])
    pets = ops.logsumexp(ops.concatenate((cats, dogs), axis=1), axis=1, keepdims=True)
    return pets - ops.logsumexp(ops.concatenate(others, axis=1), axis=1, keepdims=True)


def measure_pet_evidence(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """`pet_evidence` in NumPy.

    Args:
        logits: float32 (N, 1000), of ImageNet's classifier.
    Returns:
        float32 (N, 1), in nats.
    """
    is_pet = np.zeros(N_IMAGENET_CLASSES, bool)
    is_pet[CATS], is_pet[DOGS] = True, True
    return _log_sum_exp(logits[:, is_pet]) - _log_sum_exp(logits[:, ~is_pet])


def _log_sum_exp(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    largest = logits.max(axis=1, keepdims=True)
    summed: NDArray[np.float32] = largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
    return summed


def build_features(size: Size) -> "keras.Model":
    """The network up to the features that the heads read.

    Returns:
        A model with random weights from uint8 (N, side_px, side_px, 3), 0 to 255, to float32 (N, 1280), each 0 to 6.
    """
    import keras

    pixels = keras.Input((size.side_px, size.side_px, 3), dtype="uint8", name="pixels")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(pixels)
    if size.body_px is not None:
        x = keras.layers.Resizing(size.body_px, size.body_px, interpolation="bilinear", name="shrink")(x)
    x = keras.layers.Conv2D(_N_STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = _normalise(x, "stem", rectify=True)
    number = 0
    for stage in size.stages:
        for index in range(stage.n_blocks):
            number += 1
            x = _add_block(x, f"block_{number:02}", stage, stage.stride if index == 0 else 1)
    x = keras.layers.Conv2D(N_FEATURES, 1, use_bias=False, name="top")(x)
    x = _normalise(x, "top", rectify=True)
    x = keras.layers.GlobalAveragePooling2D(name=_FEATURES)(x)
    return keras.Model(pixels, x, name="efficientnet_lite_features")


def _add_block(x: "keras.KerasTensor", name: str, stage: Stage, stride: int) -> "keras.KerasTensor":
    """Expand by a 1 x 1 convolution, convolve each channel by itself, project; add the input if the shapes agree."""
    import keras

    block_input, n_inputs = x, int(x.shape[-1])
    if stage.expansion > 1:
        x = keras.layers.Conv2D(n_inputs * stage.expansion, 1, use_bias=False, name=f"{name}_expand")(x)
        x = _normalise(x, f"{name}_expand", rectify=True)
    depthwise = keras.layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    x = _normalise(depthwise(x), f"{name}_depthwise", rectify=True)
    x = keras.layers.Conv2D(stage.n_filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = _normalise(x, f"{name}_project", rectify=False)
    if stride == 1 and n_inputs == stage.n_filters:
        x = keras.layers.Add(name=f"{name}_add")([block_input, x])
    return x


def _normalise(x: "keras.KerasTensor", name: str, *, rectify: bool) -> "keras.KerasTensor":
    import keras

    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if rectify else x


def _make_architecture(name: str, size: Size) -> Architecture:
    last_block = f"block_{sum(stage.n_blocks for stage in size.stages):02}_expand"
    return Architecture(
        name=name,
        build=partial(build_efficientnet_lite, size),
        head=Head(_FEATURES, _CLASS_LAYER, feature_map=_FEATURE_MAP),
        neither_head=NeitherHead(_NEITHER_LAYER, _NEITHER_INPUTS, _CLASSIFIER, measure_pet_evidence),
        last_layers=LastLayers(last_block, frozen=(_CLASSIFIER,), neither_only=(_NEITHER_LAYER,)),
    )


ARCHITECTURES = (
    _make_architecture("efficientnet-lite0", LITE0),
    _make_architecture("efficientnet-lite0-fast", LITE0_FAST),
    _make_architecture("efficientnet-lite2", LITE2),
    _make_architecture("efficientnet-lite2-fast", LITE2_FAST),
)
