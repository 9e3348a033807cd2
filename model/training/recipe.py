"""How to train: the recipe, and the learning rate that follows from it."""

from dataclasses import dataclass
from math import cos, pi
from typing import Literal

from model.training.augmentation import STRONG, Augmentation


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: How many. After each, the network is validated and training can be resumed.
        steps_per_epoch: Batches in an epoch; None: as many as show every image once.
        batch_size: Images for each step.
        learning_rate: The highest.
        schedule: "cosine": the rate rises linearly to the highest during the warm-up and falls to zero along half a
            cosine (Loshchilov and Hutter 2017, arXiv:1608.03983). "constant": it is the highest from the first step to
            the last, without a warm-up.
        warmup_epochs: Length of the warm-up; may be a fraction.
        weight_decay: Decoupled decay of the weights (Loshchilov and Hutter 2019, arXiv:1711.05101); 0 is plain Adam.
        label_smoothing: 0.1 trains towards 0.05 and 0.95, or with three outputs towards 0.033 and 0.933.
        averaging: Decay, for each step, of the running mean of the weights, which is validated and stored; 0 uses the
            weights themselves.
        augmentation: How images are augmented.
        seed: Of everything random in training, except the first weights, which the caller makes.
    """

    epochs: int = 30
    steps_per_epoch: int | None = None
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: float = 1.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    averaging: float = 0.999
    augmentation: Augmentation = STRONG
    seed: int = 1


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The learning rate of the recipe's schedule after a number of epochs, which may be a fraction."""
    if recipe.schedule == "constant":
        return recipe.learning_rate
    share = min(1.0, epoch / recipe.epochs)
    rise = min(1.0, epoch / recipe.warmup_epochs) if recipe.warmup_epochs else 1.0
    return recipe.learning_rate * rise * (1 + cos(pi * share)) / 2
