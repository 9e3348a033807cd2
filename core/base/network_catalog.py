"""The networks by name, with their inputs and the bounds of their parameters, as plain data.

The web checks requests with this table and the worker builds from the same names, so neither guesses what the other
knows. `model/architectures/registry.py` has the layers.
"""

from dataclasses import dataclass

CLASSES = ("cat", "dog")
DEFAULT_NETWORK = "efficientnet-lite0"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest value a training parameter may have, both allowed, and what is used when none is given."""

    low: float
    high: float
    default: float

    def contains(self, value: float) -> bool:
        """Whether a value may be used."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training job does with a network when it is not told otherwise.

    Attributes:
        pictures_seen: How many pictures are shown in all, which makes the number of epochs ...
        epochs: ... within these bounds.
        augmentations: How pictures may be varied; the last one is the default.
        only_last_layers: Whether a job trains the last layers alone, from a version of the same network. What the
            others make of a picture is then computed once.
        learning_rate_from_version: The learning rate where a training starts from a version, not from scratch; None:
            the same.
    """

    pictures_seen: int
    epochs: tuple[int, int]
    augmentations: tuple[str, ...]
    only_last_layers: bool = False
    learning_rate_from_version: float | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What can be said of a network without loading it.

    Attributes:
        name: As in requests, manifests and file names.
        title: One line for people.
        side_px: Height and width of its input.
        n_weights: How many numbers it learns.
        parameters: Bounds of what a training may set, by name.
        plan: What a training does by default.
        knows_neither: Whether it has an output for pictures of neither class, and learns from them.
        float16: Whether its weights are stored in half the size.
        images_per_s: How many photographs one core sorts, decoding included: a guess, until a job has shown it.
    """

    name: str
    title: str
    side_px: int
    n_weights: int
    parameters: dict[str, Bounds]
    plan: Plan
    images_per_s: float
    knows_neither: bool = False
    float16: bool = False


NETWORKS = {
    "seed-cnn": Network(
        name="seed-cnn",
        title="Two small convolutions and two dense layers: fast, right about six times in seven",
        side_px=64,
        n_weights=813_217,
        parameters={
            "epochs": Bounds(1, 1000, 30),
            "batch_size": Bounds(1, 1024, 64),
            "learning_rate": Bounds(1e-6, 0.1, 1e-3),
        },
        # 30 epochs of the 20,000 photographs with which the shipped networks are made
        # At the full rate, 500 labels made the version that they started from worse by 7 points; so slow, by 0.3.
        plan=Plan(
            pictures_seen=600_000,
            epochs=(10, 60),
            augmentations=("none", "light", "strong"),
            learning_rate_from_version=3e-5,
        ),
        images_per_s=750,
    ),
    "efficientnet-lite0": Network(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0 on ImageNet's weights: knows what is neither cat nor dog",
        side_px=224,
        n_weights=4_695_308,
        parameters={
            "epochs": Bounds(1, 200, 5),
            "batch_size": Bounds(1, 256, 64),
            "learning_rate": Bounds(1e-6, 0.01, 1e-4),
        },
        plan=Plan(pictures_seen=100_000, epochs=(5, 30), augmentations=("none", "light"), only_last_layers=True),
        images_per_s=60,
        knows_neither=True,
        float16=True,
    ),
}
