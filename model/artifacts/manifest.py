"""The manifest of a trained network: a JSON file next to its weights.

It is plain JSON, so programs without TensorFlow can read it. It has all of these fields and no others. Format 1 is
supported too; it lacks the fields marked with a star, which are then null:

    format       2
    network      name in `model.architectures.registry.ARCHITECTURES`
    side_px      height and width of the input
    classes      names in the order of the probabilities: ["cat", "dog"]
    threshold    confidence from which an image gets a label, 0 to 1, in whole thousandths
    calibration  {"temperature": T}: the output's logit is divided by T
    bounds*      limits of the threshold on the validation split: {"max_wrong", "max_unsure", "max_taken"}, shares
    digest       SHA-256 of the weights file, hexadecimal
    n_weights    number of weights in the file; of the heads alone if the body is shipped in int8 alone
    n_bytes*     size of the weights file
    metrics      by split ("validation", "judging", which is the test split of jobs, "test"): the fields of
                 `model.arrays.metrics.Metrics`; "strangers": the number of negatives (images of neither class), if
                 the threshold was chosen by any, and the share of them left unsure
    data         the training data: counts by class, digest of the contents
    split        the rule of the splits and the number of images in each
    parameters   the recipe, with the augmentation
    seed         of everything random
    created_at   UTC, ISO 8601
    command      makes this file again
    who*         name of the user whose job it was, or "shipped"
    code_version* of Pawsort, with the commit where there is one
    decoding     the number of the rules by which the pictures of its training and evaluation became pixels
                 (core/decoding/decoded.py); may be missing, which means 1
    half_precision  whether float16 may be tried where it is faster; may be missing, which means no
    cascade      of a light network: {"teacher": the digest of the accurate version, "limit": the confidence from which
                 it answers itself}; its weights file has those of the heads alone. Missing: it answers every image
    speed*       of `Classifier.predict` during the evaluation: {"images_per_s", "n_images", "device", "threads"}
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypedDict

from model.architectures.registry import ARCHITECTURES

FORMAT = 2
SHIPPED = "shipped"
_SINCE_2 = {"bounds", "n_bytes", "who", "code_version", "speed"}
_OPTIONAL = {"decoding", "half_precision", "cascade"}


class Speed(TypedDict):
    """How fast a version predicted the images of its evaluation."""

    images_per_s: float
    n_images: int
    device: str
    threads: int


class Cascade(TypedDict):
    """When a light network answers itself, and the version that does otherwise."""

    teacher: str
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One manifest. The fields are explained at the top of this module."""

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
    bounds: dict[str, float] | None = None
    n_bytes: int | None = None
    who: str | None = None
    code_version: str | None = None
    speed: Speed | None = None
    decoding: int | None = None
    half_precision: bool | None = None
    cascade: Cascade | None = None

    def __post_init__(self) -> None:
        """Refuse values that no classifier could use.

        Raises:
            ValueError: A field has a wrong value; the message names it, what was expected and what came.
        """
        for name, (is_right, expected) in _RULES.items():
            value = getattr(self, name)
            if not is_right(value):
                raise ValueError(f"manifest: expected {name} to be {expected}; got {value!r}")

    @property
    def temperature(self) -> float:
        """The logit is divided by it."""
        return self.calibration["temperature"]

    def to_json(self) -> str:
        """The JSON text, the same for equal fields: sorted keys, two spaces, a final line break."""
        document = {"format": FORMAT, **asdict(self), "classes": list(self.classes)}
        document = {name: value for name, value in document.items() if name not in _OPTIONAL or value is not None}
        if all(document[name] is None for name in _SINCE_2):  # it was read from format 1, and is written as such
            document = {name: value for name, value in document.items() if name not in _SINCE_2} | {"format": 1}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Read a manifest.

        Raises:
            ValueError: The text is not JSON, a field is missing, unknown or wrong; the message says which.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ValueError(f"manifest: expected JSON; {error}") from error
        if not isinstance(document, dict):
            raise ValueError(f"manifest: expected a JSON object; got {type(document).__name__}")
        return cls.from_dict(document)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Manifest":
        """Read a manifest from parsed JSON, as it is in the database.

        Raises:
            ValueError: A field is missing, unknown or wrong; the message says which.
        """
        known = {field.name for field in fields(cls)}
        if document.get("format") not in (1, FORMAT):
            raise ValueError(
                f"manifest: expected format 1 or {FORMAT}; got {document.get('format')!r}. Update Pawsort."
            )
        if document["format"] == 1:
            known -= _SINCE_2
        given = set(document) - {"format"}
        if not known - _OPTIONAL <= given <= known:
            raise ValueError(
                f"manifest: missing fields: {', '.join(sorted(known - _OPTIONAL - given)) or 'none'};"
                f" unknown fields: {', '.join(sorted(given - known)) or 'none'}"
            )
        values = {name: document[name] for name in given}
        if isinstance(values["classes"], list):
            values["classes"] = tuple(values["classes"])
        return cls(**values)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(value: Any) -> bool:
    return value is None or (isinstance(value, str) and bool(value))


def _is_object(value: Any, *keys: str) -> bool:
    return value is None or (isinstance(value, dict) and set(value) == set(keys))


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


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_cascade(value: Any) -> bool:
    return value is None or (
        _is_object(value, *Cascade.__annotations__) and _is_digest(value["teacher"]) and _is_share(value["limit"])
    )


_RULES: dict[str, tuple[Callable[[Any], object], str]] = {
    "decoding": (lambda value: value is None or _is_whole(value), "a positive whole number or missing"),
    "half_precision": (lambda value: value in (None, True, False), "true, false or missing"),
    "network": (lambda value: value in list(ARCHITECTURES), f"one of {', '.join(sorted(ARCHITECTURES))}"),
    "side_px": (_is_whole, "a whole number above 0"),
    "classes": (lambda value: value == ("cat", "dog"), "the classes cat, dog in this order"),
    "threshold": (_is_share, "a number from 0 to 1"),
    "calibration": (_is_calibration, 'of the form {"temperature": number above 0}'),
    "digest": (_is_digest, "a SHA-256 in hexadecimal"),
    "cascade": (_is_cascade, "the digest of a teacher and a limit from 0 to 1, or missing"),
    "n_weights": (_is_whole, "a whole number above 0"),
    "metrics": (lambda value: isinstance(value, dict), "an object"),
    "data": (lambda value: isinstance(value, dict), "an object"),
    "split": (lambda value: isinstance(value, dict), "an object"),
    "parameters": (lambda value: isinstance(value, dict), "an object"),
    "seed": (lambda value: isinstance(value, int), "a whole number"),
    "created_at": (_is_utc, "an instant in UTC as ISO 8601"),
    "command": (lambda value: isinstance(value, str) and bool(value), "a command"),
    "bounds": (
        lambda value: _is_object(value, "max_wrong", "max_unsure", "max_taken"),
        "the shares max_wrong, max_unsure and max_taken",
    ),
    "n_bytes": (lambda value: value is None or _is_whole(value), "a whole number above 0"),
    "who": (_is_name, "a name"),
    "code_version": (_is_name, "a version"),
    "speed": (
        lambda value: _is_object(value, *Speed.__annotations__),
        "the fields images_per_s, n_images, device and threads",
    ),
}
