"""The fields for training parameters, used by the form of a training and the form of a schedule."""

from collections.abc import Mapping
from typing import Any

from core.base.network_catalog import DEFAULT_TRAINED, TRAINABLE
from core.training.parameters import HEAD, OF_EPOCHS, WHOLE

AUGMENTATION_WORDS = {
    "none": "None: pictures as they are",
    "light": "Light: mirrored, slightly stretched",
    "strong": "Strong: also zoomed, rotated, recoloured, partly covered",
}
NUMBERS = {
    "epochs": ("Epochs", "The largest number of passes over the pictures."),
    "steps_per_epoch": ("Steps per epoch", "Number of batches. Automatic uses every picture once."),
    "batch_size": ("Batch size", "Pictures per step. A smaller batch needs less memory."),
    "learning_rate": ("Learning rate", "The maximum. A lower rate is slower and more stable."),
    "early_stopping": ("Early stopping", "Stop after this many epochs without progress. 0 means never."),
    "seed": ("Seed", "For everything random: the same seed gives the same network."),
}


def trainable() -> list[str]:
    """The names of the networks, the default first."""
    return sorted(TRAINABLE, key=lambda name: name != DEFAULT_TRAINED)


def augmentations() -> list[tuple[str, str]]:
    """Values and titles of all augmentations, of any network."""
    names = dict.fromkeys(name for network in TRAINABLE.values() for name in network.plan.augmentations)
    return [(name, AUGMENTATION_WORDS.get(name, name)) for name in names]


def parse(values: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that were filled in, without those of epochs if only a last layer is fitted.

    Text that is not a number stays text: the check reports it.
    """
    unused = OF_EPOCHS if values.get("what") == HEAD else ()
    return {name: _number(name, value) for name, value in values.items() if value != "" and name not in unused}


def _number(name: str, text: str) -> Any:
    """The number in the field, or the text itself, which the check then reports."""
    if name in ("network", "augmentation", "what"):
        return text
    try:
        return int(text) if name in WHOLE else float(text)
    except ValueError:
        return text
