"""Activations of a published network's first layers for augmented photographs, computed once and kept in files.

There is one file for each variation, so an interruption costs only the current one.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture
from model.training.augmentation import NONE, augment
from model.training.fine_tuning import FineTuningExamples
from pretraining.frozen_layers import Frozen
from pretraining.labelled_folders import Photograph, decode_all
from pretraining.recipes import BodyRecipe

if TYPE_CHECKING:
    import keras

_BATCH = 64
_KINDS = ("activations", "logits")


class ActivationCache:
    """Runs augmented photographs through the layers before the first trained one, and through the published classifier.

    Args:
        model: A network with the published weights.
        frozen: Its layers before the first trained one.
        architecture: Of the network.
        recipe: Names the first trained layer, the augmentation, the number of variations and the side to decode to. The
            first variation is the photograph without augmentation.
        folder: For the files; it belongs to these weights, this layer and this recipe alone.
    """

    def __init__(
        self, model: "keras.Model", frozen: Frozen, architecture: Architecture, recipe: BodyRecipe, folder: Path
    ) -> None:
        import keras
        import tensorflow as tf

        side_px, between = int(model.input_shape[1]), model.get_layer(recipe.fine_tuning.first).input
        last_layers = keras.Model(between, model.get_layer(architecture.get_neither_head().classifier).output)
        self._frozen, self._recipe, self._folder = frozen, recipe, folder
        self._shape = tuple(between.shape[1:])
        self._classify = tf.function(
            lambda activations: last_layers(tf.cast(activations, tf.float32), training=False), autograph=False
        )

        def trace(augmentation: Any) -> Any:
            return tf.function(lambda images, seed: augment(images, side_px, augmentation, seed), autograph=False)

        self._augment_not, self._augment = trace(NONE), trace(recipe.augmentation)

    def compute(self, photographs: Sequence[Photograph]) -> FineTuningExamples:
        """All variations of all photographs that can be read, from the files as far as they exist."""
        n, seed = self._recipe.n_variations, self._recipe.fine_tuning.seed
        if missing := [number for number in range(n) if not self._path("logits", number).exists()]:
            self._folder.mkdir(parents=True, exist_ok=True)
            images, labels, _ = decode_all(photographs, self._recipe.source_px)
            _save(self._folder / "labels.npy", labels)
            for number in missing:
                self._compute_variation(images, number, seed)
                click.echo(f"variation {number + 1} of {n}: {len(images)} pictures")
        activations, logits = (
            [np.load(self._path(kind, number), mmap_mode="r") for number in range(n)] for kind in _KINDS
        )
        return FineTuningExamples(activations, logits, np.load(self._folder / "labels.npy"))

    def _compute_variation(self, images: NDArray[np.uint8], number: int, seed: int) -> None:
        import tensorflow as tf

        temporary = self._folder / "activations.tmp"
        activations = np.lib.format.open_memmap(temporary, "w+", np.float16, (len(images), *self._shape))
        logits = []
        vary = self._augment if number else self._augment_not
        for start in range(0, len(images), _BATCH):
            stop = start + _BATCH
            pixels = vary(images[start:stop], tf.constant([seed + number, start], tf.int32)).numpy()
            activations[start:stop] = self._frozen(pixels)
            logits.append(self._classify(activations[start:stop]).numpy().astype(np.float16))
        activations.flush()
        os.replace(temporary, self._path("activations", number))
        _save(self._path("logits", number), np.concatenate(logits))

    def _path(self, kind: str, number: int) -> Path:
        return self._folder / f"{kind}-{number}.npy"


def _save(path: Path, array: NDArray[Any]) -> None:
    """Write a temporary file, then rename it."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    os.replace(temporary, path)
