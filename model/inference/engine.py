"""What runs a network: TensorFlow, where it trains and on GPUs, or LiteRT, where a CPU serves."""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Outputs(NamedTuple):
    """The outputs of a network for N images, one row for each, in their order.

    Attributes:
        outputs: float32 (N, 1) or (N, 3), 0 to 1, before calibration.
        features: float16 (N, F), the input of the head.
        evidence: float32 (N, H, W), the head's linear layer on each cell of the feature map; None if there is none.
    """

    outputs: NDArray[np.float32]
    features: NDArray[np.float16]
    evidence: NDArray[np.float32] | None


class Engine(Protocol):
    """One version's network, ready to run.

    Attributes:
        name: "TensorFlow" or "LiteRT".
        precision: The numbers it multiplies: "float32", "float16" or "int8".
        device: Where it runs: "cpu", or a GPU's name.
        n_threads: On a CPU.
        side_px: Height and width of the images.
        sizes: Numbers of images that it is prepared for, smallest first; `run` takes at most the largest.
        empty: The outputs for no image.
    """

    name: str
    precision: str
    device: str
    n_threads: int
    side_px: int
    empty: Outputs

    @property
    def sizes(self) -> tuple[int, ...]: ...

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """The outputs for images, uint8 (N, side_px, side_px, 3), 0 to 255."""


def join(parts: list[Outputs]) -> Outputs:
    """The rows of several outputs, one after the other.

    Args:
        parts: At least one.
    """
    together: list[Any] = [None if rows[0] is None else np.concatenate(rows) for rows in zip(*parts, strict=True)]
    return Outputs(*together)
