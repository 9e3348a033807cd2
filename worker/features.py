"""What the frozen layers make of photographs, computed once and kept: it takes minutes, the head on it seconds."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from model.classifier import BATCH_SIZES, freeze
from worker.folders import Photograph, decode_all

if TYPE_CHECKING:
    import keras

_BLOCK = 1024  # photographs between two files: half a minute of work that a kill can cost


class Described(NamedTuple):
    """Pictures as the heads see them.

    Attributes:
        rows: (N, 1281): the features, then `efficientnet.pet_evidence`.
        labels: (N,), 0 or 1; `folders.NEITHER` of strangers.
    """

    rows: NDArray[np.float32]
    labels: NDArray[np.int64]


class Extractor:
    """Runs the frozen layers of one network.

    Args:
        model: From `efficientnet.build_efficientnet_lite0`, with the published weights.
        cache: Folder for what was computed; it belongs to these weights and this input size alone.
    """

    def __init__(self, model: "keras.Model", cache: Path) -> None:
        import keras

        layers = [model.get_layer("features").output, model.get_layer("signs").output[:, :1]]
        self._forward: Callable[[NDArray[np.uint8]], NDArray[np.float32]] = freeze(
            keras.Model(model.input, keras.layers.Concatenate()(layers))
        )
        self._side_px = int(model.input_shape[1])
        self._cache = cache

    def describe(self, photographs: Sequence[Photograph], name: str, *, mirrored: bool = False) -> Described:
        """Features of photographs; unreadable ones are left out.

        Args:
            name: Of the files in the cache; it belongs to these photographs alone.
            mirrored: Also describe each picture's mirror image, after all pictures as they are.
        """
        parts = [
            self._describe_block(photographs[start : start + _BLOCK], f"{name}-{start:06}", mirror)
            for mirror in ([False, True] if mirrored else [False])
            for start in range(0, len(photographs), _BLOCK)
        ]
        rows, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return Described(rows, labels)

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 1281), as `Described.rows`."""
        size = BATCH_SIZES[-1]
        padded = np.concatenate([images, np.zeros((-len(images) % size, *images.shape[1:]), np.uint8)])
        return np.concatenate([self._forward(padded[i : i + size]) for i in range(0, len(padded), size)])[: len(images)]

    def _describe_block(
        self, photographs: Sequence[Photograph], name: str, mirror: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        path = self._cache / f"{name}{'-mirrored' if mirror else ''}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                return kept["rows"], kept["labels"]
        images, labels, _ = decode_all(photographs, self._side_px)
        rows = self.run(images[:, :, ::-1] if mirror else images)
        self._cache.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".tmp")
        with beside.open("wb") as file:
            np.savez(file, allow_pickle=False, rows=rows, labels=labels)
        os.replace(beside, path)
        click.echo(f"{path.stem}: {len(rows)} pictures described")
        return rows, labels
