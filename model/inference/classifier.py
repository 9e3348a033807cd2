"""A trained network in memory: pixels in; probabilities, features and evidence out."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture
from model.architectures.registry import build, get_architecture
from model.arrays.calibration import calibrate
from model.arrays.image_arrays import Images
from model.artifacts.manifest import Manifest
from model.artifacts.weights import BadWeightsError, digest_body, digest_of, load_into
from model.inference.devices import CPU, Device, batch_sizes, count_bytes
from model.inference.predictions import Predictions

if TYPE_CHECKING:
    import keras

MAX_DIFFERENCE = 0.002  # between probabilities in float32 and in float16


def configure_threads(n: int) -> None:
    """Set the number of threads for networks. Call it before the first classifier is made.

    Args:
        n: At least 1. Several processes with one thread each do more than one process with several.
    Raises:
        RuntimeError: TensorFlow has already started with another number, and keeps it.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


class Classifier:
    """One model version in memory.

    Batches have a few fixed sizes, so the memory of the largest is known. One graph serves all sizes. The weights are
    constants in it, so TensorFlow can simplify it.

    Args:
        manifest: Names the network and has its calibration.
        weights: The .npz file whose digest the manifest has.
        device: Where it runs.
    Raises:
        BadWeightsError: The weights are not those of the manifest.
    """

    def __init__(self, manifest: Manifest, weights: bytes, device: Device = CPU) -> None:
        digest = digest_of(weights)
        if digest != manifest.digest:
            raise BadWeightsError(
                f"expected weights with the SHA-256 {manifest.digest}; got {digest}. Download the weights again."
            )
        self.manifest = manifest
        model = build(manifest.network)
        load_into(model, weights)
        if model.input_shape[1] != manifest.side_px or model.count_params() != manifest.n_weights:
            raise BadWeightsError(
                f"expected a network of {manifest.n_weights} weights for {manifest.side_px} px; {manifest.network} has"
                f" {model.count_params()} for {model.input_shape[1]} px"
            )
        self._architecture = get_architecture(manifest.network)
        self.body = digest_body(model, self._architecture)
        outputs = _outputs_of(model, self._architecture)
        self._empty = [np.empty((0, *output.shape[1:]), output.dtype) for output in outputs]
        self.sizes = batch_sizes(device, count_bytes(model))
        self._forward = _freeze(model, outputs, device)
        may_use_halves = device.is_fast_in_halves and manifest.half_precision is True
        self.uses_halves = may_use_halves and self._use_halves(weights, device)

    def _use_halves(self, weights: bytes, device: Device) -> bool:
        """Compute with float16 from now on if the probabilities stay the same; return whether they do."""
        model = build_in_halves(self.manifest.network)
        load_into(model, weights)
        outputs = _outputs_of(model, self._architecture)
        forward_in_float32 = self._forward
        images = np.random.default_rng(0).integers(0, 256, (self.sizes[0], self.side_px, self.side_px, 3), np.uint8)
        expected = self.predict(images)
        self._forward = _freeze(model, outputs, device, [rows.dtype for rows in self._empty])
        if np.abs(self.predict(images) - expected).max() <= MAX_DIFFERENCE:
            return True
        self._forward = forward_in_float32
        return False

    @property
    def side_px(self) -> int:
        """Height and width of the input images."""
        return self.manifest.side_px

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns of `predict`."""
        return self.manifest.classes

    def warm_up(self) -> None:
        """Run each batch size once, so the first real batch is as fast as the others."""
        for size in self.sizes:
            self._run(np.zeros((size, self.side_px, self.side_px, 3), np.uint8))

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
        return calibrate(self.outputs(images), self.manifest.temperature)

    def predict_with_features(self, images: NDArray[np.uint8]) -> Predictions:
        """Classify images, and return the features and the evidence of the head too.

        Args:
            images: uint8 (N, side_px, side_px, 3), 0 to 255; N may be 0.
        Raises:
            ValueError: As `predict`.
        """
        outputs, *features_and_evidence = self._run_all(images, lambda: None)
        return Predictions(calibrate(outputs, self.manifest.temperature), *features_and_evidence)

    def outputs(self, images: Images, on_batch: Callable[[], object] = lambda: None) -> NDArray[np.float32]:
        """The network's output before calibration: float32 (N, 1) or (N, 3), 0 to 1, as `calibrate` takes it.

        Args:
            images: As for `predict`.
            on_batch: Called before each batch; an exception from it ends the work.
        Raises:
            ValueError: As `predict`.
        """
        return self._run_all(images, on_batch)[0]

    def _run_all(self, images: Images, on_batch: Callable[[], object]) -> list[NDArray[Any]]:
        """All outputs of the graph, one row for each image."""
        shape = (self.side_px, self.side_px, 3)
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise ValueError(
                f"expected images as uint8 (N, {self.side_px}, {self.side_px}, 3); got {images.dtype} {images.shape}"
            )
        largest = self.sizes[-1]
        parts = []
        for start in range(0, len(images), largest):
            on_batch()
            parts.append(self._run(images[start : start + largest]))
        outputs = [np.concatenate(rows) for rows in zip(self._empty, *parts, strict=True)]
        if any(len(rows) != len(images) for rows in outputs):
            raise RuntimeError(f"expected {len(images)} rows for as many images; got {[r.shape for r in outputs]}")
        return outputs

    def _run(self, images: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Rows for at most the largest batch, padded to the smallest size that holds it."""
        n = len(images)
        size = next(size for size in self.sizes if size >= n)
        if n < size:
            padded = np.zeros((size, *images.shape[1:]), np.uint8)
            padded[:n] = images
            images = padded
        return [rows[:n] for rows in self._forward(images)]


def freeze(model: "keras.Model") -> "Any":
    """The network as one graph, with its weights as constants.

    Args:
        model: From uint8 (N, side, side, 3) to float32 (N, K).
    Returns:
        The same function for arrays: uint8 (N, side, side, 3) to float32 (N, K).
    """
    forward = _freeze(model, [model.outputs[0]], CPU)
    return lambda images: forward(images)[0]


def build_in_halves(network: str) -> "keras.Model":
    """The network as `build` makes it, computing with float16; its weights stay float32."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return build(network)
    finally:
        keras.config.set_dtype_policy(before)


def _outputs_of(model: "keras.Model", architecture: Architecture) -> "list[keras.KerasTensor]":
    """The network's output, its features as float16, and its evidence if it has a feature map."""
    from keras import ops

    head = architecture.head
    features = ops.cast(model.get_layer(head.features).output, "float16")
    if head.feature_map is None:
        return [model.outputs[0], features]
    evidence = model.get_layer(head.class_layer)(model.get_layer(head.feature_map).output)
    return [model.outputs[0], features, ops.squeeze(evidence, axis=-1)]


def _freeze(
    model: "keras.Model",
    outputs: "list[keras.KerasTensor]",
    device: Device,
    dtypes: "Sequence[Any] | None" = None,
) -> Callable[[NDArray[np.uint8]], list[NDArray[Any]]]:
    """Several outputs of a network as one graph, which is built once for batches of any size.

    Args:
        dtypes: Of the returned arrays; None: those of the outputs.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    whole = keras.Model(model.inputs[0], outputs)

    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)
    traced = tf.function(lambda images: whole(images, training=False), autograph=False)
    frozen = convert_variables_to_constants_v2(traced.get_concrete_function(signature))
    returned = [output.dtype for output in outputs] if dtypes is None else dtypes

    def forward(images: NDArray[np.uint8]) -> list[NDArray[Any]]:
        with tf.device(device.place):
            computed = frozen(tf.constant(images))
        return [np.asarray(output).astype(dtype, copy=False) for output, dtype in zip(computed, returned, strict=True)]

    return forward
