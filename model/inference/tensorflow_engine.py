"""A network in TensorFlow: one graph with its weights as constants, on a GPU or a CPU."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture
from model.architectures.registry import build, get_architecture
from model.arrays.calibration import calibrate
from model.artifacts.manifest import Manifest
from model.artifacts.weights import set_weights
from model.inference.devices import CPU, Device, batch_sizes, count_bytes
from model.inference.engine import Outputs

if TYPE_CHECKING:
    import keras

MAX_DIFFERENCE = 0.002  # between probabilities in float32 and in float16


def configure_threads(n: int) -> None:
    """Set the number of TensorFlow's threads. Call it before the first network is made.

    Args:
        n: At least 1. Several processes with one thread each do more than one process with several.
    Raises:
        RuntimeError: TensorFlow has already started with another number, and keeps it.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


class TensorFlowEngine:
    """One version in TensorFlow.

    Batches have a few fixed sizes, so the memory of the largest is known. One graph serves all sizes. The weights are
    constants in it, so TensorFlow can simplify it.

    Args:
        manifest: Names the network and has its calibration.
        arrays: Its weights by name.
        device: Where it runs.
    Raises:
        BadWeightsError: The weights belong to another network.
    """

    name = "TensorFlow"

    def __init__(self, manifest: Manifest, arrays: Mapping[str, NDArray[Any]], device: Device) -> None:
        import tensorflow as tf

        self.precision, self.device = "float32", device.name
        self.n_threads: int = tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1
        model = build(manifest.network)
        set_weights(model, arrays)
        self.side_px: int = model.input_shape[1]
        outputs = _outputs_of(model, get_architecture(manifest.network))
        empty = [np.empty((0, *output.shape[1:]), output.dtype) for output in outputs]
        self.empty = _as_outputs(empty)
        self.sizes = batch_sizes(device, count_bytes(model))
        self._forward = _freeze(model, outputs, device)
        if device.is_fast_in_halves and manifest.half_precision is True:
            self._try_halves(manifest, arrays, device, [rows.dtype for rows in empty])

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """The outputs for at most the largest batch, which is padded to the smallest size that holds it."""
        n = len(images)
        size = next(size for size in self.sizes if size >= n)
        if n < size:
            padded = np.zeros((size, *images.shape[1:]), np.uint8)
            padded[:n] = images
            images = padded
        return _as_outputs([rows[:n] for rows in self._forward(images)])

    def _try_halves(
        self, manifest: Manifest, arrays: Mapping[str, NDArray[Any]], device: Device, dtypes: Sequence[Any]
    ) -> None:
        """Compute with float16 from now on if the probabilities stay the same."""
        model = build_in_halves(manifest.network)
        set_weights(model, arrays)
        outputs = _outputs_of(model, get_architecture(manifest.network))
        forward_in_float32 = self._forward
        images = np.random.default_rng(0).integers(0, 256, (self.sizes[0], self.side_px, self.side_px, 3), np.uint8)
        expected = calibrate(self.run(images).outputs, manifest.temperature)
        self._forward = _freeze(model, outputs, device, dtypes)
        if np.abs(calibrate(self.run(images).outputs, manifest.temperature) - expected).max() <= MAX_DIFFERENCE:
            self.precision = "float16"
        else:
            self._forward = forward_in_float32


def make_graph(model: "keras.Model") -> "Any":
    """The network as a concrete function of TensorFlow for batches of any size, with its weights as constants."""
    import tensorflow as tf

    trainable = [variable.numpy() for variable in model.trainable_variables]
    others = [variable.numpy() for variable in model.non_trainable_variables]

    def forward(images: "tf.Tensor") -> "Any":
        """Arrays become constants of the graph while it is traced; variables would stay outside it."""
        outputs, _ = model.stateless_call(trainable, others, images, training=False)
        return outputs

    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)
    return tf.function(forward, autograph=False).get_concrete_function(signature)


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


def _as_outputs(rows: list[NDArray[Any]]) -> Outputs:
    return Outputs(rows[0], rows[1], rows[2] if len(rows) > 2 else None)


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

    frozen = make_graph(keras.Model(model.inputs[0], outputs))
    returned = [output.dtype for output in outputs] if dtypes is None else dtypes

    def forward(images: NDArray[np.uint8]) -> list[NDArray[Any]]:
        with tf.device(device.place):
            computed = frozen(tf.constant(images))
        return [np.asarray(output).astype(dtype, copy=False) for output, dtype in zip(computed, returned, strict=True)]

    return forward
