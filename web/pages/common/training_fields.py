"""The fields with the parameters of a training, for the form that starts one and for the form of a schedule."""

from collections.abc import Mapping
from typing import Any

from core.base.network_catalog import DEFAULT_NETWORK, NETWORKS
from core.training.parameters import WHOLE

AUGMENTATION_WORDS = {
    "none": "None: pictures as they are",
    "light": "Light: mirrored, stretched a little",
    "strong": "Strong: also zoomed, turned, recoloured, partly covered",
}
NUMBERS = {
    "epochs": ("Epochs", "How often the network goes through the pictures, at most."),
    "steps_per_epoch": ("Steps in each epoch", "Batches; automatic shows every picture once."),
    "batch_size": ("Batch size", "Pictures in each step. Less needs less memory."),
    "learning_rate": ("Learning rate", "The highest one; smaller is slower and steadier."),
    "early_stopping": ("Early stopping", "Ends after so many epochs without progress; 0 is never."),
    "seed": ("Seed", "Of everything random: the same one gives the same network."),
}


def trainable() -> list[str]:
    """The names of the networks, the default one first."""
    return sorted(NETWORKS, key=lambda name: name != DEFAULT_NETWORK)


def augmentations() -> list[tuple[str, str]]:
    """Values and words of the field, for whichever network."""
    names = dict.fromkeys(name for network in NETWORKS.values() for name in network.plan.augmentations)
    return [(name, AUGMENTATION_WORDS.get(name, name)) for name in names]


def parse(values: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that were filled in; text that is no number stays text, and the check refuses it in words."""
    return {name: _number(name, value) for name, value in values.items() if value != ""}


def _number(name: str, text: str) -> Any:
    """The number that was typed, or the text itself, which the check then refuses in words."""
    if name in ("network", "augmentation", "what"):
        return text
    try:
        return int(text) if name in WHOLE else float(text)
    except ValueError:
        return text
