"""The form that starts a training: its values, its errors, and the defaults of empty fields."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from sqlalchemy.orm import Session

from core.base.errors import Invalid, NotFound
from core.base.network_catalog import TRAINABLE
from core.models import registry
from core.models.version_choices import VersionChoices, offer_versions
from core.training import training_jobs
from core.training.parameters import ALL, COMMON, HEAD, OF_EPOCHS, choose_parameters, describe_bounds
from web.pages.common.training_fields import NUMBERS, parse, trainable

WHOLE_FORM = ""  # the key of an error that concerns several fields
AUTOMATIC = {"steps_per_epoch": "every picture once"}
MAX_CHARACTERS = 100


@dataclass(frozen=True)
class Hint:
    """The hint of a field for one network: the bounds, and the default of an empty field."""

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
    """The values of the form, as text, and one sentence for each invalid field."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_request(cls, request: Request) -> "TrainingForm":
        """Read the values from the request."""
        return cls({name: request.form.get(name, "").strip()[:MAX_CHARACTERS] for name in (*CHOICES, *NUMBERS)})

    @classmethod
    def from_address(cls, request: Request, session: Session) -> "TrainingForm":
        """Read the values from the address; select the default network and the fastest method if it has none."""
        values = {name: request.args.get(name, "").strip()[:MAX_CHARACTERS] for name in CHOICES}
        network = values["network"] or registry.network_to_train(session)
        return cls(values | {"network": network, "what": values["what"] or default_method(session, network)})

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "TrainingForm":
        """The form with the parameters of an earlier training."""
        unused = OF_EPOCHS if parameters.get("what") == HEAD else ()
        names = [name for name in (*CHOICES, *NUMBERS) if name not in unused]
        return cls({name: _shown(parameters[name]) for name in names if parameters.get(name) is not None})

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def network(self) -> str:
        """The selected network, or the default."""
        return self["network"] if self["network"] in trainable() else first_network()

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters for `choose_parameters`, without empty fields; text that is not a number stays text."""
        return parse(self.values)


CHOICES = ("network", "what", "augmentation", "start_from")


def first_network() -> str:
    """The default network."""
    return trainable()[0]


def default_method(session: Session, network: str) -> str:
    """Only the last layer, which takes seconds, if there is a version to take the others from."""
    try:
        training_jobs.find_start(session, network)
    except NotFound:
        return ALL
    return HEAD


def check_form(session: Session, form: TrainingForm, n_training: int) -> TrainingForm:
    """The form with its errors: of single fields, or of fields that do not fit together."""
    parameters = form.parameters
    network = {"network": form["network"] or registry.network_to_train(session)}
    errors: dict[str, str] = {}
    for name, value in parameters.items():
        if sentence := _find_error(session, network | {name: value}, n_training):
            errors[name] = _without_name(sentence, name)
    if not errors and (sentence := _find_error(session, parameters, n_training)):
        errors[WHOLE_FORM] = sentence
    return TrainingForm(form.values, errors)


def number_fields(n_training: int) -> list[NumberField]:
    """The fields for numbers; their hints depend on the network and on the number of training pictures."""
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
            title=TRAINABLE[name].title,
            start_default=_start_default(name),
            augmentation_default=choose_parameters({"network": name}, n_training).augmentation,
            augmentation_note=_augmentation_note(name),
        )
        for name in trainable()
    ]


_AUTOMATIC_START = "Automatic is the version in use, or the newest one of this network"


def _start_default(network: str) -> str:
    if TRAINABLE[network].plan.only_last_layers:
        return f"{_AUTOMATIC_START}. With more than the last layer, it is the newest one."
    return (
        f"{_AUTOMATIC_START}. With more than the last layer, it trains from scratch; with fewer than a few thousand"
        " pictures, choose an existing version instead."
    )


def _augmentation_note(network: str) -> str:
    if not TRAINABLE[network].plan.only_last_layers:
        return ""
    return " Strong is not available: features are stored only for the original and the mirrored picture."


def offer_starts(session: Session) -> VersionChoices:
    """Versions whose weights a training can start from."""
    return offer_versions(session, networks=trainable())


def _find_error(session: Session, parameters: Mapping[str, Any], n_training: int) -> str | None:
    try:
        training_jobs.check_parameters(session, parameters, n_training)
    except (Invalid, NotFound) as error:
        return error.message
    return None


def _without_name(sentence: str, name: str) -> str:
    rest = sentence.removeprefix(f"{name}: ")
    return rest[:1].upper() + rest[1:]


def _hint(network: str, name: str, default: Any) -> Hint:
    bounds = (TRAINABLE[network].parameters | COMMON)[name]
    automatic = AUTOMATIC.get(name, "") if default is None else _shown(default)
    described = f"{describe_bounds(name, bounds).capitalize()}."
    if name == "learning_rate" and (slower := TRAINABLE[network].plan.learning_rate_from_version):
        described += f" From a version, automatic is {_shown(slower)}."
    return Hint(network, described, f"automatic: {automatic}" if automatic else "automatic")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:.{decimals}f}".rstrip("0") if decimals <= 8 else repr(value)
    return str(value)
