"""What a network runs on: the GPU that this process sees, else the CPU; how large its batches may be there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# On a CPU 64 pictures of 64 px are as fast as 256 and hold 170 MB less; 8 of 224 px are as fast as 64 and hold 550 MB
# less (docs/performance.md). A GPU takes a whole chunk at once where its memory allows.
CPU_BATCHES, CPU_BATCHES_OF_LARGE = (16, 64), (4, 8)
LARGE_BYTES = 8 * 2**20  # for one picture
GPU_BATCHES = (16, 64, 256)
SHARE = 0.4  # of a GPU's memory for what lies between the layers; the rest is for weights, workspaces and others
COPIES = 4  # of the largest layer's output: in, out, and as much again while a convolution works
HALF_SINCE = (7, 0)  # compute capability from which multiplying halves is faster


@dataclass(frozen=True)
class Device:
    """One device of TensorFlow.

    Attributes:
        place: As `tf.device` takes it, "/GPU:0".
        name: For people.
        memory_bytes: What it has; None for a CPU, whose memory nobody divides here.
        is_fast_in_halves: Whether float16 makes it faster.
    """

    place: str = "/CPU:0"
    name: str = "cpu"
    memory_bytes: int | None = None
    is_fast_in_halves: bool = False


CPU = Device()


def set_up(n_sharing: int = 1) -> Device:
    """Choose the device of this process; before its first network. GPUs give memory as it is needed, not all at once.

    Args:
        n_sharing: How many processes use the same GPU.
    """
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not gpus:
        return CPU
    return describe(tf.config.experimental.get_device_details(gpus[0]), _memory_bytes(), n_sharing)


def describe(details: dict[str, Any], memory_bytes: int | None, n_sharing: int) -> Device:
    """The first visible GPU, from what TensorFlow says of it."""
    return Device(
        place="/GPU:0",
        name=f"gpu: {details.get('device_name', 'unknown')}",
        memory_bytes=None if memory_bytes is None else memory_bytes // n_sharing,
        is_fast_in_halves=details.get("compute_capability", (0, 0)) >= HALF_SINCE,
    )


def _memory_bytes() -> int | None:
    """What the first GPU has. The list opens every device itself: without growth it would take all of the memory."""
    import tensorflow as tf
    from tensorflow.python.client import device_lib

    v1 = tf.compat.v1
    growing = v1.ConfigProto(gpu_options=v1.GPUOptions(allow_growth=True))
    found = device_lib.list_local_devices(session_config=growing)
    return next((int(one.memory_limit) for one in found if one.device_type == "GPU"), None)


def batch_sizes(device: Device, bytes_per_image: int) -> tuple[int, ...]:
    """The sizes of batches that a network runs in there, smallest first; each is one graph.

    Args:
        bytes_per_image: What lies between the layers for one picture, as `count_bytes` says.
    """
    if device.memory_bytes is None and device.place.startswith("/CPU"):
        return CPU_BATCHES if bytes_per_image < LARGE_BYTES else CPU_BATCHES_OF_LARGE
    if device.memory_bytes is None:
        return GPU_BATCHES
    room = device.memory_bytes * SHARE
    return tuple(size for size in GPU_BATCHES if size == GPU_BATCHES[0] or size * bytes_per_image <= room)


def count_bytes(model: "keras.Model") -> int:
    """What a network holds for one picture at once, roughly: several times its largest layer's output, as float32."""
    return max(_n_numbers(layer.output.shape) for layer in model.layers) * 4 * COPIES


def _n_numbers(shape: Iterable[int | None]) -> int:
    n = 1
    for length in shape:
        n *= length or 1
    return n
