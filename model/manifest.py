"""What is known of a trained network, as a JSON file beside its weights.

Plain JSON, so that programs without TensorFlow read it too. All fields are present, no others:

    format       1
    network      name in `networks.NETWORKS`
    side_px      height and width of the input
    classes      names in the order of the probabilities: ["cat", "dog"]
    threshold    confidence from which a picture is labelled, 0 to 1, whole thousandths
    calibration  {"temperature": T}: the output's logit is divided by T
    digest       SHA-256 of the weights file, hexadecimal
    n_weights    how many numbers the network has learned
    metrics      by part ("validation", "judging", "test"): the fields of `evaluate.Figures`; "strangers", if there were
                 any: pictures of neither class by which the threshold was chosen, and the share of them left unsure
    data         what it was trained on: counts by class, digest of the contents
    split        the rule of the parts and how many pictures each got
    parameters   the recipe, with the augmentation
    seed         of everything random
    created_at   UTC, ISO 8601
    command      what makes this file again
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from model.networks import NETWORKS

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One manifest; the fields are explained at the top of this module."""

    network: str
    side_px: int
    classes: tuple[str, ...]
    threshold: float
    calibration: dict[str, float]
    digest: str
    n_weights: int
    metrics: dict[str, dict[str, Any]]
    data: dict[str, Any]
    split: dict[str, Any]
    parameters: dict[str, Any]
    seed: int
    created_at: str
    command: str

    def __post_init__(self) -> None:
        """Refuse what no classifier could use.

        Raises:
            ValueError: A field has a wrong value; the sentence names it, what was expected and what came.
        """
        for name, (is_right, expected) in _RULES.items():
            value = getattr(self, name)
            if not is_right(value):
                raise ValueError(f"manifest: expected {name} to be {expected}; got {value!r}")

    @property
    def temperature(self) -> float:
        """By what the logit is divided."""
        return self.calibration["temperature"]

    def to_json(self) -> str:
        """Text that is the same whenever the fields are: sorted keys, two spaces, a line's end."""
        document = {"format": FORMAT, **asdict(self), "classes": list(self.classes)}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Read a manifest.

        Raises:
            ValueError: The text is not JSON, a field is missing, unknown or wrong; the sentence says which.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ValueError(f"manifest: expected JSON; {error}") from error
        if not isinstance(document, dict):
            raise ValueError(f"manifest: expected a JSON object; got {type(document).__name__}")
        return cls.from_dict(document)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "Manifest":
        """Read a manifest that JSON has already been parsed from, as the database keeps it.

        Raises:
            ValueError: A field is missing, unknown or wrong; the sentence says which.
        """
        known = {field.name for field in fields(cls)}
        if document.get("format") != FORMAT:
            raise ValueError(f"manifest: expected format {FORMAT}; got {document.get('format')!r}. Update Pawsort.")
        given = set(document) - {"format"}
        if given != known:
            raise ValueError(
                f"manifest: missing fields: {', '.join(sorted(known - given)) or 'none'};"
                f" unknown fields: {', '.join(sorted(given - known)) or 'none'}"
            )
        values = {name: document[name] for name in known}
        if isinstance(values["classes"], list):
            values["classes"] = tuple(values["classes"])
        return cls(**values)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_utc(value: Any) -> bool:
    try:
        offset = datetime.fromisoformat(value).utcoffset()
    except (TypeError, ValueError):
        return False
    return offset is not None and not offset


def _is_calibration(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"temperature"}
        and _is_number(value["temperature"])
        and (0 < value["temperature"] < float("inf"))
    )


_RULES: dict[str, tuple[Callable[[Any], object], str]] = {
    "network": (lambda value: value in list(NETWORKS), f"one of {', '.join(sorted(NETWORKS))}"),
    "side_px": (_is_whole, "a whole number above 0"),
    "classes": (lambda value: value == ("cat", "dog"), "the classes cat, dog in this order"),
    "threshold": (lambda value: _is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
    "calibration": (_is_calibration, 'of the form {"temperature": number above 0}'),
    "digest": (
        lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value),
        "a SHA-256 in hexadecimal",
    ),
    "n_weights": (_is_whole, "a whole number above 0"),
    "metrics": (lambda value: isinstance(value, dict), "an object"),
    "data": (lambda value: isinstance(value, dict), "an object"),
    "split": (lambda value: isinstance(value, dict), "an object"),
    "parameters": (lambda value: isinstance(value, dict), "an object"),
    "seed": (lambda value: isinstance(value, int), "a whole number"),
    "created_at": (_is_utc, "an instant in UTC as ISO 8601"),
    "command": (lambda value: isinstance(value, str) and bool(value), "a command"),
}
