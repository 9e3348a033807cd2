"""A network in LiteRT, without TensorFlow: the converted body, and the heads in NumPy."""

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.head_outputs import class_logits_of, outputs_of
from model.architectures.registry import get_architecture
from model.inference.engine import Outputs

N_AT_ONCE = 16  # their feature maps are in memory together


def is_installed() -> bool:
    """Whether LiteRT can be imported here; not every platform has it."""
    return importlib.util.find_spec("ai_edge_litert") is not None


class LiteRTEngine:
    """One version in LiteRT. Images go through the body one by one, which is as fast on a CPU as a batch.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        arrays: Its weights by name; only those of the heads are used.
        flatbuffer: Its body, as `model.conversion.body.convert_body` returns it.
        precision: What the body multiplies, "int8" or "float32".
        n_threads: At least 1.
    """

    name = "LiteRT"
    device = "cpu"
    sizes = (N_AT_ONCE,)

    def __init__(
        self, network: str, arrays: Mapping[str, NDArray[Any]], flatbuffer: bytes, precision: str, n_threads: int
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.precision, self.n_threads = precision, n_threads
        self._network = network
        above = get_architecture(network).above_features
        self._heads = {
            name: array.astype(np.float32) for name, array in arrays.items() if name.partition(".")[0] in above
        }
        self._interpreter = Interpreter(model_content=flatbuffer, num_threads=n_threads)
        self._interpreter.allocate_tensors()
        (pixels,), (features,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._pixels, self._features = pixels["index"], features["index"]
        self._shape = tuple(features["shape"][1:])
        self.side_px = int(pixels["shape"][1])
        self.empty = self.run(np.empty((0, self.side_px, self.side_px, 3), np.uint8))

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """The outputs for at most `N_AT_ONCE` images."""
        rows = self._run_body(images)
        features = rows.mean(axis=(1, 2)) if rows.ndim > 2 else rows
        evidence = class_logits_of(self._network, self._heads, rows)[..., 0] if rows.ndim > 2 else None
        return Outputs(outputs_of(self._network, self._heads, features), features.astype(np.float16), evidence)

    def _run_body(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Feature maps float32 (N, H, W, F), or features (N, F)."""
        rows = np.empty((len(images), *self._shape), np.float32)
        for image, row in zip(images, rows, strict=True):
            self._interpreter.set_tensor(self._pixels, image[None])
            self._interpreter.invoke()
            row[...] = self._interpreter.get_tensor(self._features)[0]
        return rows
