"""Training only the last layers of a network: what learns, what stays, and how not to compute the rest twice.

Frozen layers answer the same whenever they see the same picture. So what they make of it is computed once, when it is
first wanted, and kept: an epoch over pictures that were seen before costs only the layers that learn.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.arrays.image_arrays import Pictures

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class Tail:
    """The layers of a network that learn.

    Attributes:
        first: The name of the first one; it and all that come after it in the network learn ...
        fixed: ... but for these. Normalisation keeps its statistics and scales everywhere.
        of_neither: Those that tell pets from everything else; they stay too when there is no picture of neither.
    """

    first: str
    fixed: tuple[str, ...] = ()
    of_neither: tuple[str, ...] = ()


FILLED_AT_ONCE = 16  # faster than 64 on a CPU, and the layers with the largest images hold 0.5 GB less

TAILS = {"efficientnet-lite0": Tail("block_16_expand", fixed=("imagenet",), of_neither=("pet",))}


def freeze(model: "keras.Model", tail: Tail, has_neither: bool) -> None:
    """Let only the tail learn.

    Args:
        has_neither: Whether there are pictures of neither class to learn from.
    Raises:
        ValueError: The network has no layer of such a name.
    """
    import keras

    names = [layer.name for layer in model.layers]
    fixed = tail.fixed if has_neither else (*tail.fixed, *tail.of_neither)
    if missing := [name for name in (tail.first, *fixed) if name not in names]:
        raise ValueError(f"expected layers of {model.name}; it has none named {', '.join(missing)}")
    start = names.index(tail.first)
    for index, layer in enumerate(model.layers):
        is_normalising = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= start and layer.name not in fixed and not is_normalising


def split(model: "keras.Model", first: str) -> "tuple[keras.Model, keras.Model]":
    """A network in two: up to a layer, and from it on; both share their layers with the whole.

    Args:
        first: The first layer of the second part. What comes before it must reach the rest through it alone.
    """
    import keras

    between = model.get_layer(first).input
    return keras.Model(model.input, between), keras.Model(between, model.output)


class Activations:
    """What a frozen trunk makes of pictures; looks like an array that can be indexed by a slice or by whole numbers.

    Kept as float16, filled as it is read: float16 also the first time, so that it does not matter when that was.

    Args:
        trunk: From uint8 (N, side, side, 3) to (N, height, width, channels).
        images: uint8 (N, side, side, 3).
        room: float16 (V, N, height, width, channels), to be filled. V = 2 shows half of the pictures mirrored left to
            right in each epoch, the other half in the next; V = 1 none.
    """

    def __init__(self, trunk: "keras.Model", images: Pictures, room: NDArray[np.float16]) -> None:
        import tensorflow as tf

        self._images, self._room = images, room
        self._filled = np.zeros(room.shape[:2], bool)
        self._epoch = 0
        self._forward = tf.function(
            lambda pixels: trunk(pixels, training=False), autograph=False, reduce_retracing=True
        )
        self.shape, self.dtype, self.ndim = room.shape[1:], room.dtype, room.ndim - 1

    def __len__(self) -> int:
        return len(self._images)

    def start_epoch(self, epoch: int) -> None:
        """From now on show what is to be seen in this epoch."""
        self._epoch = epoch

    def __getitem__(self, chosen: Any) -> NDArray[np.float16]:
        places = np.arange(len(self))[chosen]
        variants = (places + self._epoch) % len(self._room)
        missing = ~self._filled[variants, places]
        if missing.any():
            self._fill(variants[missing], places[missing])
        shown: NDArray[np.float16] = self._room[variants, places]
        return shown

    def _fill(self, variants: NDArray[np.intp], places: NDArray[np.intp]) -> None:
        for start in range(0, len(places), FILLED_AT_ONCE):
            some = slice(start, start + FILLED_AT_ONCE)
            self._fill_some(variants[some], places[some])

    def _fill_some(self, variants: NDArray[np.intp], places: NDArray[np.intp]) -> None:
        pixels = self._images[places]
        is_mirrored = variants == 1
        pixels[is_mirrored] = pixels[is_mirrored, :, ::-1]
        self._room[variants, places] = np.asarray(self._forward(pixels))
        self._filled[variants, places] = True


def moving(model: "keras.Model") -> list[Any]:
    """The weights that training changes: learned ones, and the statistics of normalisation that is not frozen."""
    return [weight for layer in model.layers if layer.trainable for weight in layer.weights]
