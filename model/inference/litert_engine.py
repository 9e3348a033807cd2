"""A network in LiteRT, without TensorFlow: the converted body, and the heads in NumPy."""

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.head_outputs import class_logits_of, outputs_of
from model.architectures.registry import get_architecture
from model.artifacts.manifest import Manifest
from model.artifacts.weights import BadWeightsError
from model.inference.engine import Outputs

N_AT_ONCE = 16  # their feature maps are in memory together


def is_installed() -> bool:
    """Whether LiteRT can be imported here; not every platform has it."""
    return importlib.util.find_spec("ai_edge_litert") is not None


class LiteRTLayers:
    """Converted layers. Images go through them one by one, which is as fast on a CPU as a batch.

    Args:
        flatbuffer: As `model.conversion.body.convert_layers` returns it.
        side_px: Height and width of the images; None: those that it was converted for. Layers that shrink their images
            first take others, too.
        n_threads: At least 1.
    Raises:
        BadWeightsError: They do not take images of this size.
    """

    def __init__(self, flatbuffer: bytes, side_px: int | None = None, n_threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=flatbuffer, num_threads=n_threads)
        (pixels,), (rows,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._pixels, self._rows = pixels["index"], rows["index"]
        self._shape = tuple(rows["shape"][1:])
        converted_px = int(pixels["shape"][1])
        self.side_px = converted_px if side_px is None else side_px
        self._interpreter.resize_tensor_input(self._pixels, (1, self.side_px, self.side_px, 3))
        if not self._allocate(is_resized=self.side_px != converted_px):
            raise BadWeightsError(f"expected layers for images of {self.side_px} px; these take {converted_px} px")

    def _allocate(self, is_resized: bool) -> bool:
        """Whether the layers give as many places as those that were converted. Some refuse only when they run."""
        try:
            self._interpreter.allocate_tensors()
            if is_resized:
                self._interpreter.invoke()
        except RuntimeError:
            return False
        return tuple(self._interpreter.get_output_details()[0]["shape"][1:]) == self._shape

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The output for images, uint8 (N, side_px, side_px, 3): float32 (N, H, W, F) or (N, F)."""
        outputs = np.empty((len(images), *self._shape), np.float32)
        for image, output in zip(images, outputs, strict=True):
            self._interpreter.set_tensor(self._pixels, image[None])
            self._interpreter.invoke()
            output[...] = self._interpreter.get_tensor(self._rows)[0]
        return outputs


class LiteRTEngine:
    """One version in LiteRT.

    Args:
        manifest: Names the network and the size of its images.
        arrays: Its weights by name; only those of the heads are used.
        flatbuffer: Its body, as `model.conversion.body.convert_body` returns it.
        precision: What the body multiplies, "int8" or "float32".
        n_threads: At least 1.
    """

    name = "LiteRT"
    device = "cpu"
    sizes = (N_AT_ONCE,)

    def __init__(
        self, manifest: Manifest, arrays: Mapping[str, NDArray[Any]], flatbuffer: bytes, precision: str, n_threads: int
    ) -> None:
        self.precision, self.n_threads, self.side_px = precision, n_threads, manifest.side_px
        self._network = manifest.network
        is_of_head = get_architecture(self._network).is_above_features
        self._heads = {name: array.astype(np.float32) for name, array in arrays.items() if is_of_head(name)}
        self._body = LiteRTLayers(flatbuffer, manifest.side_px, n_threads)
        self.empty = self.run(np.empty((0, self.side_px, self.side_px, 3), np.uint8))

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """The outputs for at most `N_AT_ONCE` images."""
        rows = self._body.run(images)
        features = rows.mean(axis=(1, 2)) if rows.ndim > 2 else rows
        evidence = class_logits_of(self._network, self._heads, rows)[..., 0] if rows.ndim > 2 else None
        return Outputs(outputs_of(self._network, self._heads, features), features.astype(np.float16), evidence)
