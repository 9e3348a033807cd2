"""The state from which an interrupted training resumes: the trainer's state and the best weights, as one blob."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.storage.blobs import Blobs
from model.training.trainer import Trainer

STATE = "state"
BEST = "best."


@dataclass(frozen=True, slots=True)
class BestEpoch:
    """The epoch with the lowest validation loss, and the weights after it."""

    number: int
    val_loss: float
    weights: Sequence[NDArray[Any]]


class Checkpoint:
    """The state of one training in the blob store.

    Args:
        prefix: Prefix of all blob keys of this training.
        key: The blob to resume from, if there is one.
    """

    def __init__(self, blobs: Blobs, prefix: str, key: str | None) -> None:
        self._blobs, self._folder, self._key = blobs, prefix, key

    def restore(self, trainer: Trainer) -> BestEpoch | None:
        """Load the state into a trainer. Returns the best epoch so far, if any has ended."""
        if self._key is None:
            return None
        with np.load(io.BytesIO(self._blobs.get(self._key)), allow_pickle=False) as archive:
            arrays = dict(archive)
        best = {name: arrays.pop(name) for name in sorted(arrays) if name.startswith(BEST)}
        trainer.restore(arrays)
        number, val_loss = best.pop(f"{BEST}epoch")
        return BestEpoch(int(number), float(val_loss), list(best.values()))

    def save(self, trainer: Trainer, best: BestEpoch) -> str:
        """Store the state after an epoch under a new key, and return the key."""
        arrays = {f"{BEST}{index:03}": array for index, array in enumerate(best.weights)}
        arrays[f"{BEST}epoch"] = np.array([best.number, best.val_loss])
        out = io.BytesIO()
        np.savez(out, allow_pickle=False, **arrays, **trainer.state())
        key = f"{self._folder}{STATE}-{trainer.n_epochs_done:05}-{token_hex(8)}.npz"
        self._blobs.put(key, out.getvalue())
        return key

    def delete_all_but(self, key: str) -> None:
        """Delete earlier states, and those that a killed worker stored without recording them."""
        states = [other for other, _ in self._blobs.list(self._folder) if other.startswith(f"{self._folder}{STATE}-")]
        self._blobs.delete(other for other in states if other != key)
