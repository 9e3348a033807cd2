"""A new head for a network whose body stays, fitted on features that are known: in seconds.

    features (N, F) ─► what the layers above them say, from the weight file alone ─► the two heads, by Newton's method

Everything here is NumPy: TensorFlow need not be loaded. The new head is pulled towards the one that it replaces, as if
that stood for `OLD_PICTURES` pictures more, so that a few labels change little and it does not forget what it knew.
Beside a label that was given because a version was wrong, what the old head says of the picture is replayed (Li and
Hoiem 2016, arXiv:1606.09282): labels of nothing but mistakes would else turn it into its opposite.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.efficientnet import CATS, DOGS
from model.architectures.heads import HEADS
from model.arrays.logistic_regression import fit_logistic
from model.training.losses import NEITHER

Arrays = dict[str, NDArray[Any]]
DECAY = 0.02
OLD_PICTURES = 2000
DOUBTFUL = 0.2  # how much a label counts that was given because of what a version said, beside the old head
PET_DECAY = 1e-3
_SLICE = 2048


def outputs_of(network: str, arrays: Mapping[str, NDArray[Any]], features: NDArray[Any]) -> NDArray[np.float32]:
    """What the network says of features, as `Classifier.outputs` does of pictures.

    Args:
        network: A name of `heads.HEADS`.
        arrays: Its weights by name, as `weights.unpack_weights` gives them.
        features: (N, F).
    Returns:
        float32 (N, 1) or (N, 3).
    """
    lean = lean_of(network, arrays, features)
    second = _sigmoid(lean)
    if not _has_pet(arrays):
        return second
    pet = _sigmoid(_signs(arrays, features, lean) @ _read(arrays, "pet.kernel") + _read(arrays, "pet.bias"))
    return np.concatenate([pet * (1 - second), pet * second, 1 - pet], axis=1, dtype=np.float32)


def lean_of(network: str, arrays: Mapping[str, NDArray[Any]], features: NDArray[Any]) -> NDArray[np.float32]:
    """(N, 1), in nats: above 0 for the second class, below 0 for the first."""
    kernel, offset = _read(arrays, f"{HEADS[network].lean}.kernel"), _read(arrays, f"{HEADS[network].lean}.bias")
    return features.astype(np.float32) @ kernel + offset


def refit(
    network: str,
    arrays: Mapping[str, NDArray[Any]],
    features: NDArray[Any],
    labels: NDArray[Any],
    is_honest: NDArray[np.bool_] | None = None,
) -> Arrays:
    """The weights with new heads.

    Args:
        network: A name of `heads.HEADS`.
        arrays: The weights to start from; all but the heads stay as they are.
        features: (N, F), of the training part.
        labels: (N,), 0, 1 or `losses.NEITHER`, which only the head for pets learns from, where there is one.
        is_honest: (N,), whether each label was given whatever a version thought of the picture; all when left out.
    Raises:
        ValueError: One of the two classes is missing.
    """
    counts = np.ones(len(labels)) if is_honest is None else np.where(is_honest, 1.0, DOUBTFUL)
    is_ours = labels != NEITHER
    ours, said = features[is_ours].astype(np.float32), labels[is_ours]
    if len(set(said.tolist())) < 2:
        raise ValueError("expected labels of both classes, to fit a head that tells them apart")
    lean = HEADS[network].lean
    new = dict(arrays)
    _fit(new, lean, ours, said, counts[is_ours], DECAY)
    if _has_pet(arrays) and not is_ours.all():
        signs = _signs(arrays, features, lean_of(network, new, features))
        _fit(new, "pet", signs, is_ours, counts, PET_DECAY)
    return new


def _fit(
    arrays: Arrays, layer: str, rows: NDArray[np.float32], said: NDArray[Any], counts: NDArray[Any], decay: float
) -> None:
    """Fit a layer anew, towards what it was; each label counts so much, what the layer said until now the rest."""
    old = (_read(arrays, f"{layer}.kernel"), _read(arrays, f"{layer}.bias"))
    wanted = counts * said + (1 - counts) * _sigmoid(rows @ old[0] + old[1])[:, 0]
    _write(arrays, layer, *fit_logistic(rows, wanted, decay * (1 + OLD_PICTURES / len(rows)), start=old))


def _has_pet(arrays: Mapping[str, NDArray[Any]]) -> bool:
    return "pet.kernel" in arrays


def _signs(
    arrays: Mapping[str, NDArray[Any]], features: NDArray[Any], lean: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N, 2), as the layer `signs` of the network: `efficientnet.pet_evidence`, and how far the head leans."""
    kernel, offset = _read(arrays, "imagenet.kernel"), _read(arrays, "imagenet.bias")
    others = np.ones(len(offset), bool)
    others[CATS], others[DOGS] = False, False
    parts = []
    for start in range(0, len(features), _SLICE):
        logits = features[start : start + _SLICE].astype(np.float32) @ kernel + offset
        parts.append(_log_sum(logits[:, ~others]) - _log_sum(logits[:, others]))
    evidence = np.concatenate([np.empty((0, 1), np.float32), *parts])
    return np.concatenate([evidence, np.abs(lean)], axis=1, dtype=np.float32)


def _log_sum(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    most = logits.max(axis=1, keepdims=True)
    summed: NDArray[np.float32] = most + np.log(np.exp(logits - most).sum(axis=1, keepdims=True))
    return summed


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-np.clip(x, -60, 60)))).astype(np.float32)


def _read(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    return arrays[name].astype(np.float32)


def _write(arrays: Arrays, layer: str, kernel: NDArray[np.float32], offset: NDArray[np.float32]) -> None:
    for name, weights in ((f"{layer}.kernel", kernel), (f"{layer}.bias", offset)):
        arrays[name] = weights.astype(arrays[name].dtype)
