"""Training only the last layers of a network, and the activations of the frozen layers below them.

Frozen layers give the same output each time for the same image. So their activations are computed once, when they are
first read, and kept: a later epoch over the same images costs only the layers that are trained.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import LastLayers
from model.arrays.image_arrays import Images

if TYPE_CHECKING:
    import keras

FILLED_AT_ONCE = 16  # faster than 64 on a CPU, and the layers with the largest images need 0.5 GB less


def freeze_other_layers(model: "keras.Model", last_layers: LastLayers, has_neither: bool) -> None:
    """Make all layers but the last ones untrainable.

    Args:
        has_neither: Whether there are training images of neither class.
    Raises:
        ValueError: The network has no layer of such a name.
    """
    import keras

    names = [layer.name for layer in model.layers]
    frozen = last_layers.frozen if has_neither else (*last_layers.frozen, *last_layers.neither_only)
    if missing := [name for name in (last_layers.first, *frozen) if name not in names]:
        raise ValueError(f"expected layers of {model.name}; it has none named {', '.join(missing)}")
    start = names.index(last_layers.first)
    for index, layer in enumerate(model.layers):
        is_normalising = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= start and layer.name not in frozen and not is_normalising


def split_at(model: "keras.Model", first: str) -> "tuple[keras.Model, keras.Model]":
    """Split a network in two, up to a layer and from it on. Both share their layers with the whole.

    Args:
        first: The first layer of the second half. It must be the only connection between the two.
    """
    import keras

    between = model.get_layer(first).input
    return keras.Model(model.input, between), keras.Model(between, model.output)


class Activations:
    """The output of frozen layers for images. Like an array it can be indexed by a slice or by an array of integers.

    Values are kept as float16 and computed when first read; the first read returns float16 too, so it makes no
    difference when a value was computed.

    Args:
        frozen: From uint8 (N, side, side, 3) to float32 (N, height, width, channels).
        images: uint8 (N, side, side, 3), 0 to 255.
        buffer: float16 (V, N, height, width, channels), to be filled. With V = 2, half of the images are mirrored left
            to right in each epoch, the other half in the next; with V = 1, none.
    """

    def __init__(self, frozen: "keras.Model", images: Images, buffer: NDArray[np.float16]) -> None:
        import tensorflow as tf

        self._images, self._buffer = images, buffer
        self._is_filled = np.zeros(buffer.shape[:2], bool)
        self._epoch = 0
        self._forward = tf.function(
            lambda pixels: frozen(pixels, training=False), autograph=False, reduce_retracing=True
        )
        self.shape, self.dtype, self.ndim = buffer.shape[1:], buffer.dtype, buffer.ndim - 1

    def __len__(self) -> int:
        return len(self._images)

    def start_epoch(self, epoch: int) -> None:
        """Use the variants of this epoch from now on."""
        self._epoch = epoch

    def __getitem__(self, selection: Any) -> NDArray[np.float16]:
        rows = np.arange(len(self))[selection]
        variants = (rows + self._epoch) % len(self._buffer)
        missing = ~self._is_filled[variants, rows]
        if missing.any():
            self._fill(variants[missing], rows[missing])
        activations: NDArray[np.float16] = self._buffer[variants, rows]
        return activations

    def _fill(self, variants: NDArray[np.intp], rows: NDArray[np.intp]) -> None:
        for start in range(0, len(rows), FILLED_AT_ONCE):
            batch = slice(start, start + FILLED_AT_ONCE)
            self._fill_batch(variants[batch], rows[batch])

    def _fill_batch(self, variants: NDArray[np.intp], rows: NDArray[np.intp]) -> None:
        pixels = self._images[rows]
        is_mirrored = variants == 1
        pixels[is_mirrored] = pixels[is_mirrored, :, ::-1]
        self._buffer[variants, rows] = np.asarray(self._forward(pixels))
        self._is_filled[variants, rows] = True


def trained_weights(model: "keras.Model") -> list[Any]:
    """The variables that training changes: trainable weights, and statistics of normalisation that is not frozen."""
    return [weight for layer in model.layers if layer.trainable for weight in layer.weights]
