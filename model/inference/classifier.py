"""A trained version in memory: pixels in; probabilities, features and evidence out."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from model.architectures.registry import get_architecture
from model.arrays.calibration import calibrate
from model.arrays.image_arrays import Images
from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import Manifest
from model.artifacts.weights import BadWeightsError, count_weights, digest_body, digest_of, unpack_weights
from model.inference.cascade import ask_teacher
from model.inference.devices import CPU, Device
from model.inference.engine import Engine, Outputs, join
from model.inference.litert_engine import LiteRTEngine
from model.inference.predictions import Predictions
from model.inference.tensorflow_engine import TensorFlowEngine


class Classifier:
    """One model version in memory.

    Args:
        manifest: Names the network and has its calibration.
        weights: The .npz file whose digest the manifest has.
        device: Where TensorFlow runs it.
        converted: Its body for LiteRT, which then runs it instead of TensorFlow.
        n_threads: Of LiteRT; those of TensorFlow are set for the whole process.
        teacher: The accurate version to which a light one leaves images; the light one needs `converted`.
    Attributes:
        engine: What runs it.
        weights_body: SHA-256 of its weights below the head.
        body: SHA-256 of the body as it computes. Only features with the same `body` can be used together.
    Raises:
        BadWeightsError: The weights or the converted body are not those of the manifest.
    """

    def __init__(
        self,
        manifest: Manifest,
        weights: bytes,
        device: Device = CPU,
        *,
        converted: ConvertedBody | None = None,
        n_threads: int = 1,
        teacher: "Classifier | None" = None,
    ) -> None:
        digest = digest_of(weights)
        if digest != manifest.digest:
            raise BadWeightsError(
                f"expected weights with the SHA-256 {manifest.digest}; got {digest}. Download the weights again."
            )
        self.manifest, self._teacher = manifest, teacher
        arrays = unpack_weights(weights)
        self.engine: Engine
        if converted is None:
            self.engine = TensorFlowEngine(manifest, arrays, device)
        else:
            _check_converted(manifest, converted)
            precision = converted.manifest.precision
            self.engine = LiteRTEngine(manifest, arrays, converted.flatbuffer, precision, n_threads)
        if self.engine.side_px != manifest.side_px or (teacher is None and count_weights(arrays) != manifest.n_weights):
            raise BadWeightsError(
                f"expected a network of {manifest.n_weights} weights for {manifest.side_px} px; {manifest.network} has"
                f" {count_weights(arrays)} for {self.engine.side_px} px"
            )
        architecture = get_architecture(manifest.network)
        self.weights_body = digest_body(arrays, architecture)
        is_quantised = converted is not None and converted.manifest.is_quantised
        self.body = converted.manifest.digest if converted and is_quantised else self.weights_body
        if all(map(architecture.is_above_features, arrays)):  # only the heads are stored
            self.weights_body = self.body

    @property
    def network(self) -> str:
        """Its name."""
        return self.manifest.network

    @property
    def side_px(self) -> int:
        """Height and width of the input images."""
        return self.manifest.side_px

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns of `predict`."""
        return self.manifest.classes

    @property
    def batch_size(self) -> int:
        """How many images go through the network at once."""
        return self.engine.sizes[-1]

    def warm_up(self) -> None:
        """Run each batch size once, so the first real batch is as fast as the others."""
        for size in self.engine.sizes:
            self.engine.run(np.zeros((size, self.side_px, self.side_px, 3), np.uint8))
        if self._teacher is not None:
            self._teacher.warm_up()

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classify images.

        Args:
            images: uint8 (N, side_px, side_px, 3), 0 to 255, as `core.decoding.images.decode_image` returns them; N may
                be 0.
        Returns:
            float32 (N, C), 0 to 1: calibrated probabilities in the order of `classes`, one row for each image, in the
            same order.
        Raises:
            ValueError: The array has another type or shape.
        """
        return self.predict_with_features(images).probabilities

    def predict_with_features(self, images: Images, on_batch: Callable[[], object] = lambda: None) -> Predictions:
        """Classify images, and return the features and the evidence of the head too.

        Args:
            images: uint8 (N, side_px, side_px, 3), 0 to 255; N may be 0.
            on_batch: Called before each batch; an exception from it ends the work.
        Raises:
            ValueError: As `predict`.
        """
        outputs, features, evidence = self._run_all(images, on_batch)
        own = Predictions(calibrate(outputs, self.manifest.temperature), features, evidence)
        if self._teacher is None or self.manifest.cascade is None:
            return own
        teacher = self._teacher
        limit = self.manifest.cascade["limit"]
        return ask_teacher(own, images, limit, lambda doubtful: teacher.predict_with_features(doubtful, on_batch))

    def name_networks(self, predictions: Predictions) -> list[str]:
        """The network that answered, for each row of its predictions."""
        if predictions.by_teacher is None or self._teacher is None:
            return [self.network] * len(predictions.probabilities)
        return [self._teacher.network if is_doubtful else self.network for is_doubtful in predictions.by_teacher]

    def outputs(self, images: Images, on_batch: Callable[[], object] = lambda: None) -> NDArray[np.float32]:
        """The network's own output before calibration: float32 (N, 1) or (N, 3), 0 to 1, as `calibrate` takes it.

        Args:
            images: As for `predict`.
            on_batch: Called before each batch; an exception from it ends the work.
        Raises:
            ValueError: As `predict`.
        """
        return self._run_all(images, on_batch).outputs

    def _run_all(self, images: Images, on_batch: Callable[[], object]) -> Outputs:
        """All outputs of the network, one row for each image."""
        shape = (self.side_px, self.side_px, 3)
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise ValueError(
                f"expected images as uint8 (N, {self.side_px}, {self.side_px}, 3); got {images.dtype} {images.shape}"
            )
        parts = [self.engine.empty]
        for start in range(0, len(images), self.batch_size):
            on_batch()
            parts.append(self.engine.run(images[start : start + self.batch_size]))
        together = join(parts)
        if any(rows is not None and len(rows) != len(images) for rows in together):
            raise RuntimeError(f"expected {len(images)} rows for as many images; got {len(together.outputs)}")
        return together


def _check_converted(manifest: Manifest, converted: ConvertedBody) -> None:
    conversion, found = converted.manifest, digest_of(converted.flatbuffer)
    if (conversion.weights, conversion.digest) != (manifest.digest, found):
        raise BadWeightsError(
            f"expected the converted body {conversion.digest} of the weights {manifest.digest}; got {found} of"
            f" {conversion.weights}. Convert the version again."
        )
