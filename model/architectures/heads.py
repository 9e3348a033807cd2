"""Where the head of a network begins: the vector of features below it, and what it says of each place of a picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Head:
    """The layers of a network from its features on; all others are its body.

    Attributes:
        features: The layer whose output, (N, F), the head reads.
        lean: The linear layer on it that tells the second class from the first: (F, 1) and (1,).
        above: All layers with weights that come after the features.
        places: The layer whose mean over a grid of places, (N, H, W, F), the features are, where there is one.
    """

    features: str
    lean: str
    above: tuple[str, ...]
    places: str | None = None


HEADS = {
    "seed-cnn": Head("dense_1", lean="p_dog", above=("p_dog",)),
    "efficientnet-lite0": Head("features", lean="dog", above=("imagenet", "dog", "pet"), places="top_relu"),
}


class Looked(NamedTuple):
    """What a network says of N pictures, one row for each, in their order.

    Attributes:
        probabilities: float32 (N, C), calibrated.
        features: float16 (N, F), what the head reads; None where the network is not known to have one.
        evidence: float32 (N, H, W), what the head's linear layer says of each place, in nats: above 0 for the second
            class, below 0 for the first; None where the network keeps no places. The mean of a picture's places is
            what the layer says of the whole picture.
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float16] | None = None
    evidence: NDArray[np.float32] | None = None


def outputs_of(model: "keras.Model", head: Head | None) -> "list[keras.KerasTensor]":
    """The network's output, then its features as float16 and its evidence as far as it has them."""
    from keras import ops

    if head is None:
        return [model.outputs[0]]
    features = ops.cast(model.get_layer(head.features).output, "float16")
    if head.places is None:
        return [model.outputs[0], features]
    evidence = model.get_layer(head.lean)(model.get_layer(head.places).output)
    return [model.outputs[0], features, ops.squeeze(evidence, axis=-1)]


def draw_heat(evidence: NDArray[np.float32], class_index: int) -> bytes:
    """How much each place of a picture speaks for a class, one byte for each, row by row.

    Args:
        evidence: (H, W), a row of `Looked.evidence`.
        class_index: 0 or 1.
    Returns:
        H * W bytes: 0 for what does not speak for the class, 255 for what does most in this picture.
    """
    speaks_for = np.maximum(evidence if class_index else -evidence, 0)
    most = float(speaks_for.max(initial=0))
    if not np.isfinite(most) or most == 0:
        return bytes(evidence.size)
    return np.rint(speaks_for * (255 / most)).astype(np.uint8).tobytes()
