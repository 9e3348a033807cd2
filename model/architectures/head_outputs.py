"""The heads of a network in NumPy: from features to the network's output, without its body."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import NeitherHead
from model.architectures.registry import get_architecture

_SLICE = 2048


def outputs_of(network: str, arrays: Mapping[str, NDArray[Any]], features: NDArray[Any]) -> NDArray[np.float32]:
    """The network's output for features, as `Classifier.outputs` gives it for images.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        arrays: Its weights by name, as `weights.unpack_weights` returns them; those of the heads are enough.
        features: float16 or float32 (N, F).
    Returns:
        float32 (N, 1) or (N, 3), 0 to 1, before calibration.
    """
    logits = class_logits_of(network, arrays, features)
    second = sigmoid(logits)
    neither_head = get_architecture(network).neither_head
    if neither_head is None:
        return second
    kernel, bias = read_layer(arrays, neither_head.layer)
    pet = sigmoid(neither_inputs(neither_head, arrays, features, logits) @ kernel + bias)
    return np.concatenate([pet * (1 - second), pet * second, 1 - pet], axis=1, dtype=np.float32)


def class_logits_of(network: str, arrays: Mapping[str, NDArray[Any]], features: NDArray[Any]) -> NDArray[np.float32]:
    """The head's linear layer on features.

    Args:
        network, arrays: As for `outputs_of`.
        features: float16 or float32 (..., F).
    Returns:
        float32 (..., 1), in nats: above 0 for the second class, below 0 for the first.
    """
    kernel, bias = read_layer(arrays, get_architecture(network).head.class_layer)
    return features.astype(np.float32, copy=False) @ kernel + bias


def neither_inputs(
    head: NeitherHead, arrays: Mapping[str, NDArray[Any]], features: NDArray[Any], class_logits: NDArray[np.float32]
) -> NDArray[np.float32]:
    """float32 (N, 2): the published classifier's evidence of a pet, and the absolute class logit."""
    kernel, bias = read_layer(arrays, head.classifier)
    evidence = [np.empty((0, 1), np.float32)]
    for start in range(0, len(features), _SLICE):
        rows = features[start : start + _SLICE].astype(np.float32, copy=False)
        evidence.append(head.measure_evidence(rows @ kernel + bias))
    return np.concatenate([np.concatenate(evidence), np.abs(class_logits)], axis=1, dtype=np.float32)


def read_layer(arrays: Mapping[str, NDArray[Any]], layer: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of a layer."""
    kernel, bias = arrays[f"{layer}.kernel"], arrays[f"{layer}.bias"]
    return kernel.astype(np.float32, copy=False), bias.astype(np.float32, copy=False)


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + exp(-x)), element by element."""
    return (1 / (1 + np.exp(-np.clip(x, -60, 60)))).astype(np.float32)
