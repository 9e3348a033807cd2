"""What a classifier gives for images: probabilities, features, evidence, and class activation maps from evidence."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Predictions(NamedTuple):
    """The outputs for N images, one row for each, in their order.

    Attributes:
        probabilities: float32 (N, C), 0 to 1, calibrated.
        features: float16 (N, F), the input of the head.
        evidence: float32 (N, H, W), the head's linear layer applied to each cell of the feature map, in nats: above 0
            for the second class, below 0 for the first. The mean over an image is the logit of the whole image. None if
            the network has no feature map.
        by_teacher: bool (N,), in a cascade: whether the accurate network answered; None if there is one network.
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float16]
    evidence: NDArray[np.float32] | None = None
    by_teacher: NDArray[np.bool_] | None = None


def encode_activation_map(evidence: NDArray[np.float32], class_index: int) -> bytes:
    """The class activation map of one image: how much each cell speaks for a class, one byte for each, row by row.

    Args:
        evidence: float32 (H, W), a row of `Predictions.evidence`.
        class_index: 0 or 1.
    Returns:
        H * W bytes: 0 where nothing speaks for the class, 255 where most does in this image.
    """
    support = np.maximum(evidence if class_index else -evidence, 0)
    largest = float(support.max(initial=0))
    if not np.isfinite(largest) or largest == 0:
        return bytes(evidence.size)
    return np.rint(support * (255 / largest)).astype(np.uint8).tobytes()
