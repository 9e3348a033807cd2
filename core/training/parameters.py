"""The parameters of a training: checked at once, one sentence for each wrong value, defaults that suit the data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.base.errors import Invalid
from core.base.network_catalog import DEFAULT_TRAINED, TRAINABLE, Bounds, TrainableNetwork

STEPS_WANTED = 20  # a small set gets small batches, or an epoch would be two or three steps

COMMON = {
    "steps_per_epoch": Bounds(1, 1_000_000, 0),
    "early_stopping": Bounds(0, 1000, 0),
    "seed": Bounds(0, 2**31 - 1, 1),
    "start_from": Bounds(1, 2**31 - 1, 0),
}
ALL, HEAD = "all", "head"
OF_EPOCHS = ("epochs", "steps_per_epoch", "batch_size", "learning_rate", "augmentation", "early_stopping")
WHOLE = frozenset({"epochs", "batch_size", *COMMON})
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Parameters:
    """How to train.

    Attributes:
        network: A name of `core.base.network_catalog.TRAINABLE`.
        epochs: How many at most.
        steps_per_epoch: Batches in an epoch; None: as many as show every training picture once.
        batch_size: Pictures for each step.
        learning_rate: The highest.
        augmentation: One of the network's `Plan.augmentations`.
        seed: Of everything random.
        early_stopping: End after this many epochs without a lower validation loss; 0: never.
        start_from: The version whose weights training starts from; None: from scratch.
        what: `all`: the network, or its last layers, epoch by epoch. `head`: a new head on the features of
            `start_from`, in one step; what belongs to epochs means nothing then.
    """

    network: str
    epochs: int
    steps_per_epoch: int | None
    batch_size: int
    learning_rate: float
    augmentation: str
    seed: int
    early_stopping: int
    start_from: int | None
    what: str = ALL

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    def to_command(self) -> str:
        """What trains the same from the shell, where the pictures are in FOLDER: the card of the version shows it."""
        useless = OF_EPOCHS if self.what == HEAD else ()
        provided = {name: value for name, value in self.to_dict().items() if name not in ("what", *useless)}
        options = [f"--{name.replace('_', '-')} {value}" for name, value in provided.items() if value is not None]
        return " ".join(["pawsort train FOLDER", *(["--head-only"] if self.what == HEAD else []), *options])


def choose_parameters(given: Mapping[str, Any], n_training: int) -> Parameters:
    """Check what was given and fill in the rest.

    Args:
        given: Values by name; None means "not given".
        n_training: Pictures in the training split, on which the defaults depend.
    Raises:
        Invalid: Something is wrong; the text has one sentence for each wrong value.
    """
    provided = {name: value for name, value in given.items() if value is not None}
    name = provided.get("network", DEFAULT_TRAINED)
    if not isinstance(name, str) or name not in TRAINABLE:
        raise Invalid(f"network: expected one of {', '.join(TRAINABLE)}; got {_shown(name)}.")
    network = TRAINABLE[name]
    if wrong := list(_wrong(provided, network)):
        raise Invalid(" ".join(wrong))
    defaults = _defaults(network, n_training)
    if "start_from" in provided:
        defaults["learning_rate"] = network.plan.learning_rate_from_version or defaults["learning_rate"]
    if provided.get("what") == HEAD:
        defaults |= {"epochs": 1, "augmentation": network.plan.augmentations[0]}
    return Parameters(**(defaults | provided))


def _wrong(provided: Mapping[str, Any], network: TrainableNetwork) -> list[str]:
    bounds = network.parameters | COMMON
    unknown = sorted(set(provided) - set(Parameters.__dataclass_fields__))
    sentences = [f"{name}: there is no such parameter." for name in unknown]
    known = network.plan.augmentations
    if "augmentation" in provided and provided["augmentation"] not in known:
        of = f" for {network.name}, of which a job trains the last layers" if network.plan.only_last_layers else ""
        sentences.append(
            f"augmentation: expected one of {', '.join(known)}{of}; got {_shown(provided['augmentation'])}."
        )
    if provided.get("what", ALL) not in (ALL, HEAD):
        sentences.append(f"what: expected {ALL} or {HEAD}; got {_shown(provided['what'])}.")
    if provided.get("what") == HEAD and (useless := [name for name in OF_EPOCHS if name in provided]):
        sentences.append(f"{', '.join(useless)}: a head is fitted in one step, without epochs. Leave it out.")
    for name, bound in bounds.items():
        if name in provided and not _fits(name, provided[name], bound):
            sentences.append(f"{name}: expected a {describe_bounds(name, bound)}; got {_shown(provided[name])}.")
    return sentences


def describe_bounds(name: str, bounds: Bounds) -> str:
    """What a parameter may be, for people: "whole number from 1 to 1,000,000"."""
    kind = "whole number" if name in WHOLE else "number"
    return f"{kind} from {_in_full(bounds.low)} to {_in_full(bounds.high)}"


def _in_full(value: float) -> str:
    """1e-06 -> "0.000001", 1000000 -> "1,000,000": without an exponent."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.9f}".rstrip("0").rstrip(".")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _fits(name: str, value: Any, bound: Bounds) -> bool:
    kinds = (int,) if name in WHOLE else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and bound.contains(value)


def _defaults(network: TrainableNetwork, n_training: int) -> dict[str, Any]:
    epochs, (fewest, most) = network.plan.pictures_seen // max(n_training, 1), network.plan.epochs
    batch_size = int(network.parameters["batch_size"].default)
    return {
        "network": network.name,
        "epochs": min(max(epochs, fewest), most),
        "steps_per_epoch": None,
        "batch_size": max(1, min(batch_size, n_training // STEPS_WANTED)),
        "learning_rate": network.parameters["learning_rate"].default,
        "augmentation": network.plan.augmentations[-1],
        "seed": 1,
        "early_stopping": 0,
        "start_from": None,
    }
