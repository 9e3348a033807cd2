"""The form that starts a training: what was typed, what is wrong with it, and what happens when it is left empty."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from sqlalchemy.orm import Session

from core.base.errors import Invalid, NotFound
from core.base.network_catalog import NETWORKS
from core.models import registry
from core.models.version_choices import VersionChoices, offer_versions
from core.training import training_jobs
from core.training.parameters import COMMON, HEAD, OF_EPOCHS, choose_parameters, describe_bounds
from web.pages.common.training_fields import NUMBERS, parse, trainable

WHOLE_FORM = ""  # the key of what is wrong with several fields together
AUTOMATIC = {"steps_per_epoch": "every picture once"}
MAX_TYPED = 100


@dataclass(frozen=True)
class Hint:
    """What one field says for one network: its bounds, and what is taken when it is left empty."""

    network: str
    bounds: str
    placeholder: str


@dataclass(frozen=True)
class NetworkOption:
    """A network to choose, with the settings that it has when their fields stay empty."""

    name: str
    title: str
    start_default: str
    augmentation_default: str
    augmentation_note: str


@dataclass(frozen=True)
class NumberField:
    """A field for a number, with a hint for each network."""

    name: str
    label: str
    meaning: str
    hints: list[Hint]


@dataclass(frozen=True)
class TrainingForm:
    """What somebody filled in, as text, and one sentence for each field that is wrong."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_request(cls, request: Request) -> "TrainingForm":
        """Read it from the form."""
        return cls({name: request.form.get(name, "").strip()[:MAX_TYPED] for name in (*CHOICES, *NUMBERS)})

    @classmethod
    def from_address(cls, request: Request, network: str) -> "TrainingForm":
        """Read what an address fills in.

        Args:
            network: The one that is marked when the address names none.
        """
        said = {name: request.args.get(name, "").strip()[:MAX_TYPED] for name in CHOICES}
        return cls(said | {"network": said["network"] or network})

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "TrainingForm":
        """The parameters of an earlier training."""
        means_nothing = OF_EPOCHS if parameters.get("what") == HEAD else ()
        names = [name for name in (*CHOICES, *NUMBERS) if name not in means_nothing]
        return cls({name: _shown(parameters[name]) for name in names if parameters.get(name) is not None})

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def network(self) -> str:
        """The network chosen, or the one that is marked before anybody chooses."""
        return self["network"] if self["network"] in trainable() else first_network()

    @property
    def given(self) -> dict[str, Any]:
        """What `choose_parameters` takes: fields left empty are not given, what is no number stays text."""
        return parse(self.values)


CHOICES = ("network", "what", "augmentation", "start_from")


def first_network() -> str:
    """The network that is chosen when nobody chooses."""
    return trainable()[0]


def check(session: Session, typed: TrainingForm, n_training: int) -> TrainingForm:
    """The same with a sentence for each field that is wrong, and for what does not fit together."""
    given = typed.given
    network = {"network": typed["network"] or registry.network_to_train(session)}
    wrong: dict[str, str] = {}
    for name, value in given.items():
        if sentence := _wrong(session, network | {name: value}, n_training):
            wrong[name] = _without_name(sentence, name)
    if not wrong and (sentence := _wrong(session, given, n_training)):
        wrong[WHOLE_FORM] = sentence
    return TrainingForm(typed.values, wrong)


def number_fields(n_training: int) -> list[NumberField]:
    """The fields for numbers; hints depend on the network and on how many pictures there are to train on."""
    defaults = {name: choose_parameters({"network": name}, n_training).to_dict() for name in trainable()}
    return [
        NumberField(name, label, meaning, [_hint(network, name, values[name]) for network, values in defaults.items()])
        for name, (label, meaning) in NUMBERS.items()
    ]


def network_options(n_training: int) -> list[NetworkOption]:
    """The networks to choose from, the default one first."""
    return [
        NetworkOption(
            name=name,
            title=NETWORKS[name].title,
            start_default=_start_default(name),
            augmentation_default=choose_parameters({"network": name}, n_training).augmentation,
            augmentation_note=_augmentation_note(name),
        )
        for name in trainable()
    ]


def _start_default(network: str) -> str:
    if NETWORKS[network].plan.only_last_layers:
        return "Automatic is the newest: a job trains the last layers alone, the others have to come from somewhere."
    return "Automatic is anew, from nothing; with fewer than some thousand pictures, a version is the better start."


def _augmentation_note(network: str) -> str:
    if not NETWORKS[network].plan.only_last_layers:
        return ""
    return " Strong is not to be had: what the layers that stay make of a picture is kept, plain and mirrored."


def offer_starts(session: Session) -> VersionChoices:
    """Versions whose weights a training can begin with."""
    return offer_versions(session, networks=trainable())


def _wrong(session: Session, given: Mapping[str, Any], n_training: int) -> str | None:
    try:
        training_jobs.check_parameters(session, given, n_training)
    except (Invalid, NotFound) as error:
        return error.message
    return None


def _without_name(sentence: str, name: str) -> str:
    rest = sentence.removeprefix(f"{name}: ")
    return rest[:1].upper() + rest[1:]


def _hint(network: str, name: str, default: Any) -> Hint:
    bounds = (NETWORKS[network].parameters | COMMON)[name]
    automatic = AUTOMATIC.get(name, "") if default is None else _shown(default)
    described = f"{describe_bounds(name, bounds).capitalize()}."
    if name == "learning_rate" and (slower := NETWORKS[network].plan.learning_rate_from_version):
        described += f" From a version, automatic is {_shown(slower)}."
    return Hint(network, described, f"automatic: {automatic}" if automatic else "automatic")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{decimals}f}".rstrip("0") if decimals <= 8 else repr(value)
    return str(value)
