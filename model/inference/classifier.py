"""A trained network, ready to answer: pixels in; probabilities, features and evidence out."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.build import build
from model.architectures.heads import HEADS, Looked, outputs_of
from model.arrays.calibration import calibrate
from model.arrays.image_arrays import Pictures
from model.artifacts.manifest import Manifest
from model.artifacts.weights import BadWeightsError, digest_body, digest_of, load_into
from model.inference.devices import CPU, Device, batch_sizes, count_bytes

if TYPE_CHECKING:
    import keras

MOST_APART = 0.002  # of a probability, between float32 and halves


def configure_threads(n: int) -> None:
    """Let the network use so many threads; call it before the first classifier is made.

    Args:
        n: At least 1. Several processes of one thread each do more than one process of several.
    Raises:
        RuntimeError: TensorFlow has started already with another number, and keeps the threads it has.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


class Classifier:
    """One model version in memory.

    Batches have a few fixed sizes, so that what the largest needs in memory is known. One graph serves them all. The
    weights are its constants, which lets TensorFlow simplify it.

    Args:
        manifest: Says which network it is and how its output becomes probabilities.
        weights: The .npz file whose digest the manifest has.
        device: Where it runs.
    Raises:
        BadWeightsError: The weights are not those of the manifest.
    """

    def __init__(self, manifest: Manifest, weights: bytes, device: Device = CPU) -> None:
        digest = digest_of(weights)
        if digest != manifest.digest:
            raise BadWeightsError(
                f"expected weights with the SHA-256 {manifest.digest}; got {digest}. Fetch the weights again."
            )
        self.manifest = manifest
        model = build(manifest.network)
        load_into(model, weights)
        if model.input_shape[1] != manifest.side_px or model.count_params() != manifest.n_weights:
            raise BadWeightsError(
                f"expected a network of {manifest.n_weights} weights for {manifest.side_px} px; {manifest.network} has"
                f" {model.count_params()} for {model.input_shape[1]} px"
            )
        head = HEADS.get(manifest.network)
        self.body = digest_body(model, head) if head is not None else None
        outputs = outputs_of(model, head)
        self._none = [np.empty((0, *output.shape[1:]), output.dtype) for output in outputs]
        self.sizes = batch_sizes(device, count_bytes(model))
        self._forward = _freeze(model, outputs, device)
        may_halve = device.is_fast_in_halves and manifest.half_precision is True
        self.uses_halves = may_halve and self._use_halves(weights, device)

    def _use_halves(self, weights: bytes, device: Device) -> bool:
        """Compute with float16 from now on, if probabilities stay the same with it; whether they do."""
        model = build_in_halves(self.manifest.network)
        load_into(model, weights)
        outputs = outputs_of(model, HEADS.get(self.manifest.network))
        whole = self._forward
        pictures = np.random.default_rng(0).integers(0, 256, (self.sizes[0], self.side_px, self.side_px, 3), np.uint8)
        wanted = self.predict(pictures)
        self._forward = _freeze(model, outputs, device, [rows.dtype for rows in self._none])
        if np.abs(self.predict(pictures) - wanted).max() <= MOST_APART:
            return True
        self._forward = whole
        return False

    @property
    def side_px(self) -> int:
        """Height and width of the pictures it takes."""
        return self.manifest.side_px

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the columns of `predict`."""
        return self.manifest.classes

    def warm_up(self) -> None:
        """Run each batch size once, so that the first real batch is as fast as the others."""
        for size in self.sizes:
            self._run(np.zeros((size, self.side_px, self.side_px, 3), np.uint8))

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classify pictures.

        Args:
            images: uint8 (N, side_px, side_px, 3), 0 to 255, as `core.decoding.images.decode_image` gives
                them; N may be 0.
        Returns:
            float32 (N, C): calibrated probabilities in the order of `classes`, one row for each picture, same order.
        Raises:
            ValueError: The array has another type or shape.
        """
        return calibrate(self.outputs(images), self.manifest.temperature)

    def look(self, images: NDArray[np.uint8]) -> Looked:
        """Classify pictures, and say what the head has read and where.

        Args:
            images: As for `predict`.
        Raises:
            ValueError: As `predict`.
        """
        outputs, *more = self._run_all(images, lambda: None)
        return Looked(calibrate(outputs, self.manifest.temperature), *more)

    def outputs(self, images: Pictures, on_batch: Callable[[], object] = lambda: None) -> NDArray[np.float32]:
        """What the network says before calibration: float32 (N, 1) or (N, 3), as `calibrate` takes it.

        Args:
            images: As for `predict`.
            on_batch: Called before each batch; what it raises ends the work.
        Raises:
            ValueError: As `predict`.
        """
        return self._run_all(images, on_batch)[0]

    def _run_all(self, images: Pictures, on_batch: Callable[[], object]) -> list[NDArray[Any]]:
        """Everything that the graph gives, one row for each picture."""
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
        found = [np.concatenate(rows) for rows in zip(self._none, *parts, strict=True)]
        if any(len(rows) != len(images) for rows in found):
            raise RuntimeError(f"expected {len(images)} answers for as many images; got {[r.shape for r in found]}")
        return found

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
    """The network as one graph, its weights folded in as constants.

    Args:
        model: From uint8 (N, side, side, 3) to float32 (N, K).
    Returns:
        The same function for arrays.
    """
    forward = _freeze(model, [model.outputs[0]], CPU)
    return lambda images: forward(images)[0]


def build_in_halves(network: str) -> "keras.Model":
    """The network as `build` makes it, but computing with float16; its weights stay float32."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return build(network)
    finally:
        keras.config.set_dtype_policy(before)


def _freeze(
    model: "keras.Model",
    outputs: "list[keras.KerasTensor]",
    device: Device,
    dtypes: "Sequence[Any] | None" = None,
) -> Callable[[NDArray[np.uint8]], list[NDArray[Any]]]:
    """Several outputs of a network as one graph, which is built once for batches of any size.

    Args:
        dtypes: What the outputs are given as; without it as they are.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    whole = keras.Model(model.inputs[0], outputs)

    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)
    traced = tf.function(lambda images: whole(images, training=False), autograph=False)
    frozen = convert_variables_to_constants_v2(traced.get_concrete_function(signature))
    wanted = [output.dtype for output in outputs] if dtypes is None else dtypes

    def forward(images: NDArray[np.uint8]) -> list[NDArray[Any]]:
        with tf.device(device.place):
            found = frozen(tf.constant(images))
        return [np.asarray(output).astype(dtype, copy=False) for output, dtype in zip(found, wanted, strict=True)]

    return forward
