"""The networks by name, with their inputs, default parameters and bounds, as plain data.

The web checks requests with this table, and the worker builds the networks of the same names, whose layers are in
`model.architectures.registry`.
"""

from dataclasses import dataclass

CLASSES = ("cat", "dog")
DEFAULT_NETWORK = "efficientnet-lite0-fast"  # of a new installation
DEFAULT_TRAINED = "efficientnet-lite0"  # what a training trains unless told otherwise


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest allowed value of a training parameter, and the default."""

    low: float
    high: float
    default: float

    def contains(self, value: float) -> bool:
        """Whether a value is allowed."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Plan:
    """The defaults of a training job with a network.

    Attributes:
        pictures_seen: Number of images shown in all epochs together, from which the number of epochs follows ...
        epochs: ... within these bounds.
        augmentations: The available augmentations; the last one is the default.
        only_last_layers: Whether a job trains the last layers alone, from a version of the same network. The output of
            the other layers is then computed once for each image.
        learning_rate_from_version: The learning rate if a training starts from a version instead of from scratch; None:
            the same.
    """

    pictures_seen: int
    epochs: tuple[int, int]
    augmentations: tuple[str, ...]
    only_last_layers: bool = False
    learning_rate_from_version: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The properties of a network that are known without loading it.

    Attributes:
        name: As in requests, manifests and file names.
        title: One line for users.
        side_px: Height and width of its input.
        n_weights: Number of weights.
        knows_neither: Whether it has an output for images of neither class, and is trained on them.
        float16: Whether its weights are stored in half the size.
        images_per_s: Photographs that one core classifies, decoding included: an estimate until a job has shown it.
        needs_litert: Whether LiteRT runs it beside a GPU, too, since its body is shipped in int8 alone.
    """

    name: str
    title: str
    side_px: int
    n_weights: int
    images_per_s: float
    knows_neither: bool = False
    float16: bool = False
    needs_litert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainableNetwork(Network):
    """A network that jobs can train.

    Attributes:
        parameters: Bounds and defaults of training parameters, by name.
        plan: Other defaults of a training.
    """

    parameters: dict[str, Bounds]
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class LightNetwork(Network):
    """A network that answers where it is sure, and leaves the other images to an accurate one.

    Attributes:
        teacher: The accurate network, from which it has learned.
    """

    teacher: str


TRAINABLE = {
    "seed-cnn": TrainableNetwork(
        name="seed-cnn",
        title="Two small convolutions and two dense layers: fast, about 86 % accurate",
        side_px=64,
        n_weights=813_217,
        parameters={
            "epochs": Bounds(1, 1000, 30),
            "batch_size": Bounds(1, 1024, 64),
            "learning_rate": Bounds(1e-6, 0.1, 1e-3),
        },
        # 600,000 are 30 epochs of the 20,000 photographs of which the shipped networks are made. With 500 labels, a
        # training from a version lost 7 points at the full rate and 0.3 points at this one.
        plan=Plan(
            pictures_seen=600_000,
            epochs=(10, 60),
            augmentations=("none", "light", "strong"),
            learning_rate_from_version=3e-5,
        ),
        images_per_s=750,
    ),
    "efficientnet-lite0": TrainableNetwork(
        name="efficientnet-lite0",
        title="EfficientNet-Lite0 with ImageNet's weights: also recognises what is neither cat nor dog",
        side_px=224,
        n_weights=4_695_308,
        parameters={
            "epochs": Bounds(1, 200, 5),
            "batch_size": Bounds(1, 256, 64),
            "learning_rate": Bounds(1e-6, 0.01, 1e-4),
        },
        plan=Plan(pictures_seen=100_000, epochs=(5, 30), augmentations=("none", "light"), only_last_layers=True),
        images_per_s=110,
        knows_neither=True,
        float16=True,
    ),
}

_LITE2 = Network(
    name="efficientnet-lite2",
    title="EfficientNet-Lite2, larger and half as fast as efficientnet-lite0: for whom accuracy counts most",
    side_px=260,
    n_weights=6_151_452,
    images_per_s=60,
    knows_neither=True,
    float16=True,
    needs_litert=True,
)

LIGHT = {
    "efficientnet-lite0-fast": LightNetwork(
        name="efficientnet-lite0-fast",
        title="A light network for clear pictures, with efficientnet-lite0 for the others: as accurate, a third faster",
        side_px=224,
        n_weights=4_695_308,
        images_per_s=130,
        knows_neither=True,
        float16=True,
        teacher="efficientnet-lite0",
    ),
    "efficientnet-lite2-fast": LightNetwork(
        name="efficientnet-lite2-fast",
        title="A light network for clear pictures, with efficientnet-lite2 for the others",
        side_px=260,
        n_weights=4_695_308,
        images_per_s=110,
        knows_neither=True,
        float16=True,
        needs_litert=True,
        teacher="efficientnet-lite2",
    ),
}

NETWORKS: dict[str, Network] = {**TRAINABLE, _LITE2.name: _LITE2, **LIGHT}
