"""The device of a network, the visible GPU or the CPU, and the sizes of batches on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# On a CPU, batches of 64 images of 64 px are as fast as 256 and need 170 MB less; 8 of 224 px are as fast as 64 and
# need 550 MB less (docs/performance.md). A GPU gets a whole chunk at once if its memory allows.
CPU_BATCHES, CPU_BATCHES_OF_LARGE = (16, 64), (4, 8)
LARGE_BYTES = 8 * 2**20  # for one image
GPU_BATCHES = (16, 64, 256)
SHARE = 0.4  # of a GPU's memory for activations; the rest is for weights, workspaces and other processes
COPIES = 4  # of the largest layer's output: input, output, and as much again during a convolution
HALF_SINCE = (7, 0)  # compute capability from which multiplication in float16 is faster


@dataclass(frozen=True)
class Device:
    """A TensorFlow device.

    Attributes:
        place: As `tf.device` takes it, "/GPU:0".
        name: For people.
        memory_bytes: Its memory for this process; None for a CPU, whose memory is not divided here.
        is_fast_in_halves: Whether float16 makes it faster.
    """

    place: str = "/CPU:0"
    name: str = "cpu"
    memory_bytes: int | None = None
    is_fast_in_halves: bool = False


CPU = Device()


def set_up(n_sharing: int = 1) -> Device:
    """Choose the device of this process. Call it before the first network: GPU memory then grows as needed.

    Args:
        n_sharing: Number of processes that use the same GPU.
    """
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not gpus:
        return CPU
    return describe(tf.config.experimental.get_device_details(gpus[0]), _memory_bytes(), n_sharing)


def describe(details: dict[str, Any], memory_bytes: int | None, n_sharing: int) -> Device:
    """The first visible GPU.

    Args:
        details: As TensorFlow returns them.
        memory_bytes: Its memory, if known.
        n_sharing: Number of processes that use it.
    """
    return Device(
        place="/GPU:0",
        name=f"gpu: {details.get('device_name', 'unknown')}",
        memory_bytes=None if memory_bytes is None else memory_bytes // n_sharing,
        is_fast_in_halves=details.get("compute_capability", (0, 0)) >= HALF_SINCE,
    )


def _memory_bytes() -> int | None:
    """Memory of the first GPU. Listing opens every device: without growth it would allocate all memory."""
    import tensorflow as tf

    v1 = tf.compat.v1
    growing = v1.ConfigProto(gpu_options=v1.GPUOptions(allow_growth=True))
    with v1.Session(graph=tf.Graph(), config=growing) as session:
        devices = session.list_devices()
    return next((int(each.memory_limit_bytes) for each in devices if each.device_type == "GPU"), None)


def batch_sizes(device: Device, bytes_per_image: int) -> tuple[int, ...]:
    """The batch sizes of a network on a device, smallest first.

    Args:
        device: Where the network runs.
        bytes_per_image: Memory for the activations of one image, as `count_bytes` estimates it.
    """
    if device.memory_bytes is None and device.place.startswith("/CPU"):
        return CPU_BATCHES if bytes_per_image < LARGE_BYTES else CPU_BATCHES_OF_LARGE
    if device.memory_bytes is None:
        return GPU_BATCHES
    available = device.memory_bytes * SHARE
    return tuple(size for size in GPU_BATCHES if size == GPU_BATCHES[0] or size * bytes_per_image <= available)


def count_bytes(model: "keras.Model") -> int:
    """Estimate the activation memory for one image: several times the largest layer's output in float32."""
    return max(_n_numbers(layer.output.shape) for layer in model.layers) * 4 * COPIES


def _n_numbers(shape: Iterable[int | None]) -> int:
    n = 1
    for length in shape:
        n *= length or 1
    return n
