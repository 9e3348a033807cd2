"""The recipes by which the shipped networks are trained. Chosen on the validation part; docs/networks.md says how."""

from dataclasses import dataclass

from model.augment import Augmentation
from model.train import Recipe


@dataclass(frozen=True, slots=True)
class Shipped:
    """How one shipped network is made.

    Attributes:
        recipe: How it is trained.
        dropout: Share of the dense layers' inputs that the twin drops in training.
        source_px: Side at which training pictures are decoded; larger than the input, so that zooming in shows detail.
        max_wrong: Share of the validation part that may be labelled wrong at the version's threshold ...
        max_unsure: ... unless more than this share of it would get no label.
    """

    recipe: Recipe
    dropout: float
    source_px: int
    max_wrong: float
    max_unsure: float


SHIPPED = {
    "seed-cnn": Shipped(
        recipe=Recipe(
            epochs=80,
            batch_size=64,
            learning_rate=2e-3,
            averaging=0.999,
            augmentation=Augmentation(
                zoom=(0.65, 1.05),
                stretch=0.15,
                shift=0.08,
                rotation_degrees=10.0,
                shear_degrees=6.0,
                flip=True,
                brightness=0.25,
                contrast=0.25,
                saturation=0.3,
                tint=0.05,
                cover=0.3,
            ),
            seed=1,
        ),
        dropout=0.1,
        source_px=80,
        max_wrong=0.05,
        max_unsure=0.25,
    )
}
