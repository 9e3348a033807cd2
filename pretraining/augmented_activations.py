"""What the first layers of a published network make of photographs in several variations, computed once and kept.

One file for each variation; a kill costs the one under way.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from model.training.augment import NONE, Augmentation, augment
from model.training.finetune import Seen
from pretraining.labelled_folders import Photograph, decode_all

if TYPE_CHECKING:
    import keras

_BATCH = 64


class Variations:
    """Runs the layers before one layer, and the whole published classifier, over varied photographs.

    Args:
        model: From `efficientnet.build_efficientnet_lite0`, with the published weights.
        first: The layer whose input is wanted.
        how: How photographs are varied; the first variation is the photograph as it is.
        source_px: Side at which they are decoded: larger than the input, so that zooming in shows detail.
        cache: Folder for what was computed; it belongs to these weights, this layer and this recipe alone.
    """

    def __init__(self, model: "keras.Model", first: str, how: Augmentation, source_px: int, cache: Path) -> None:
        import keras
        import tensorflow as tf

        side_px = int(model.input_shape[1])
        both = keras.Model(model.input, [model.get_layer(first).input, model.get_layer("imagenet").output])
        self._source_px, self._cache = source_px, cache
        self._shape = tuple(both.output_shape[0][1:])

        def trace(how: Augmentation) -> Any:
            def forward(images: Any, seed: Any) -> Any:
                return both(augment(images, side_px, how, seed), training=False)

            return tf.function(forward, autograph=False)

        self._plain, self._varied = trace(NONE), trace(how)

    def run(self, photographs: Sequence[Photograph], n: int, seed: int) -> Seen:
        """All variations of all photographs that can be read, from the cache as far as they are there.

        Args:
            n: How many variations, the plain one among them.
            seed: Of the variations.
        """
        if missing := [number for number in range(n) if not self._path("logits", number).exists()]:
            self._cache.mkdir(parents=True, exist_ok=True)
            images, labels, _ = decode_all(photographs, self._source_px)
            _save(self._cache / "labels.npy", labels)
            for number in missing:
                self._compute(images, number, seed)
                click.echo(f"variation {number + 1} of {n}: {len(images)} pictures")
        kept = [[np.load(self._path(kind, number), mmap_mode="r") for number in range(n)] for kind in _KINDS]
        return Seen(kept[0], kept[1], np.load(self._cache / "labels.npy"))

    def _compute(self, images: NDArray[np.uint8], number: int, seed: int) -> None:
        import tensorflow as tf

        beside = self._cache / "activations.tmp"
        activations = np.lib.format.open_memmap(beside, "w+", np.float16, (len(images), *self._shape))
        logits = []
        forward = self._varied if number else self._plain
        for start in range(0, len(images), _BATCH):
            passed, said = forward(images[start : start + _BATCH], tf.constant([seed + number, start], tf.int32))
            activations[start : start + _BATCH] = passed.numpy()
            logits.append(said.numpy().astype(np.float16))
        activations.flush()
        os.replace(beside, self._path("activations", number))
        _save(self._path("logits", number), np.concatenate(logits))

    def _path(self, kind: str, number: int) -> Path:
        return self._cache / f"{kind}-{number}.npy"


_KINDS = ("activations", "logits")


def _save(path: Path, array: NDArray[Any]) -> None:
    """Write beside, then rename."""
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    os.replace(beside, path)
