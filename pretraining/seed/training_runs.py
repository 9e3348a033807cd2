"""The trainings of the original description's table, and a few variants that might explain its figures.

The description gives epochs and steps, loss and accuracy on training batches, 5,000 training photographs, shear 0.2,
zoom 0.2 and flips. It does not give the batch size, the learning rate, or whether a row continued an earlier training.
"""

from dataclasses import dataclass, replace
from math import degrees

from model.training.augmentation import SEED
from model.training.recipe import Recipe

N_OF_EACH_CLASS = 2500
_PLAIN = Recipe(
    batch_size=32,
    learning_rate=1e-3,  # Keras's default for Adam
    schedule="constant",
    averaging=0.0,
    augmentation=SEED,
    seed=1,
)
_RADIANS = replace(SEED, shear_degrees=degrees(0.2))  # Keras up to 2.1.4 read the number in radians


@dataclass(frozen=True, slots=True)
class Run:
    """One training.

    Attributes:
        title: Its name on the page.
        recipe: How the network is trained, from random weights.
        original: Loss and accuracy in the description for this number of epochs and steps.
    """

    title: str
    recipe: Recipe
    original: tuple[float, float]


def _row(title: str, epochs: int, steps: int, original: tuple[float, float]) -> Run:
    return Run(title, replace(_PLAIN, epochs=epochs, steps_per_epoch=steps), original)


ROWS = {
    "row-1": _row("10 epochs of 80 steps", 10, 80, (0.3441, 0.8483)),
    "row-2": _row("20 epochs of 800 steps", 20, 800, (0.1001, 0.9818)),
    "row-3": _row("25 epochs of 8000 steps", 25, 8000, (0.0231, 0.9999)),
}


def _variant(row: str, title: str, **changes: object) -> Run:
    run = ROWS[row]
    return replace(run, title=f"{run.title}, {title}", recipe=replace(run.recipe, **changes))  # type: ignore[arg-type]


VARIANTS = {
    "row-1-batch-64": _variant("row-1", "batches of 64", batch_size=64),
    "row-1-batch-128": _variant("row-1", "batches of 128", batch_size=128),
    "row-1-batch-256": _variant("row-1", "batches of 256", batch_size=256),
    "row-1-radians": _variant("row-1", "shear in radians", augmentation=_RADIANS),
    "row-1-batch-128-radians": _variant(
        "row-1", "batches of 128, shear in radians", batch_size=128, augmentation=_RADIANS
    ),
    "row-2-radians": _variant("row-2", "shear in radians", augmentation=_RADIANS),
    "row-2-batch-8": _variant("row-2", "batches of 8", batch_size=8),
}
RUNS = ROWS | VARIANTS
