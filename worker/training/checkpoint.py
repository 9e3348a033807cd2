"""What a training goes on from after a kill: the trainer's state and the best weights so far, as one blob."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.storage.blobs import Blobs
from model.training.train import Trainer

STATE = "state"
BEST = "best."


@dataclass(frozen=True, slots=True)
class Best:
    """The epoch with the lowest validation loss, and the weights after it."""

    number: int
    val_loss: float
    weights: Sequence[NDArray[Any]]


class TrainingState:
    """The state of one training in the blob store.

    Args:
        prefix: What the keys of this training begin with.
        key: The blob to go on from, if there is one.
    """

    def __init__(self, blobs: Blobs, prefix: str, key: str | None) -> None:
        self._blobs, self._folder, self._key = blobs, prefix, key

    def restore(self, trainer: Trainer) -> Best | None:
        """Bring a trainer to where the training was; the best epoch so far, if any has ended."""
        if self._key is None:
            return None
        with np.load(io.BytesIO(self._blobs.get(self._key)), allow_pickle=False) as kept:
            arrays = dict(kept)
        best = {name: arrays.pop(name) for name in sorted(arrays) if name.startswith(BEST)}
        trainer.restore(arrays)
        number, val_loss = best.pop(f"{BEST}epoch")
        return Best(int(number), float(val_loss), list(best.values()))

    def put(self, trainer: Trainer, best: Best) -> str:
        """Keep the state after an epoch under a fresh key."""
        arrays = {f"{BEST}{index:03}": array for index, array in enumerate(best.weights)}
        arrays[f"{BEST}epoch"] = np.array([best.number, best.val_loss])
        out = io.BytesIO()
        np.savez(out, allow_pickle=False, **arrays, **trainer.state())
        key = f"{self._folder}{STATE}-{trainer.n_epochs_done:05}-{token_hex(8)}.npz"
        self._blobs.put(key, out.getvalue())
        return key

    def forget_all_but(self, key: str) -> None:
        """Delete the states before this one, and what a killed worker left without recording it."""
        states = [other for other, _ in self._blobs.list(self._folder) if other.startswith(f"{self._folder}{STATE}-")]
        self._blobs.delete(other for other in states if other != key)
