"""What a network is trained and validated on: images or activations, with their labels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays.image_arrays import Images
from model.training.last_layers import Activations

if TYPE_CHECKING:
    import keras


class Examples(NamedTuple):
    """Images with their labels.

    Attributes:
        images: uint8 (N, S, S, 3), 0 to 255.
        labels: int (N,), 0 or 1: the index of the class; 2 for neither, where the network has an output for it.
    """

    images: Images
    labels: NDArray[np.integer[Any]]


class ActivationExamples(NamedTuple):
    """The activations of a network's frozen layers with labels, for a model of the other layers.

    Attributes:
        images: float16 (N, height, width, channels).
        labels: int (N,), as in `Examples`.
    """

    images: Activations
    labels: NDArray[np.integer[Any]]


def check_examples(
    model: "keras.Model", examples: Examples | ActivationExamples, split: str, known: Sequence[int], *, exact: bool
) -> None:
    """Refuse what would fail, or give wrong results silently, in the middle of an epoch.

    Args:
        model: The network that is trained or validated on them.
        examples: The images with their labels.
        split: Its name, for messages.
        known: The labels that may occur.
        exact: Whether images must have the size of the network's input; otherwise they may be larger.
    Raises:
        ValueError: They do not match each other or the network.
    """
    images, labels = examples
    if isinstance(images, Activations):
        if images.shape[1:] != model.input_shape[1:]:
            raise ValueError(f"expected {split} activations {model.input_shape}; got {images.shape}")
    else:
        _check_pixels(images, split, int(model.input_shape[1]), exact=exact)
    if len(images) == 0 or labels.shape != (len(images),):
        raise ValueError(
            f"expected one label for each of at least one {split} image; got {labels.shape} for {len(images)}"
        )
    if not np.isin(labels, known).all():
        expected = f"{', '.join(map(str, known[:-1]))} and {known[-1]}"
        raise ValueError(f"expected {split} labels {expected}; got {sorted(set(labels.tolist()))[:5]}")


def _check_pixels(images: Images, split: str, side_px: int, *, exact: bool) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3:
        raise ValueError(f"expected {split} images as uint8 (N, S, S, 3); got {images.dtype} {images.shape}")
    if images.shape[1] < side_px or (exact and images.shape[1] != side_px):
        expected = f"{side_px} px" if exact else f"at least {side_px} px"
        raise ValueError(f"expected {split} images of {expected} for this network; got {images.shape[1]} px")
