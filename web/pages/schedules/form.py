"""The form of a schedule: its values, its errors, and the schedule made from it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Request
from sqlalchemy.orm import Session

from core.base import cron
from core.base.errors import Conflict, Invalid
from core.base.states import ScheduleKind
from core.orm.schedules import Schedule
from core.schedules import due_times, schedules
from core.schedules.parameters import defaults_of
from core.schedules.schedules import NewSchedule
from core.training.parameters import HEAD
from web.pages.common import training_fields
from web.pages.schedules import due_fields

WHOLE_FORM = ""  # the key of an error that concerns several fields
GB = 10**9
MAX_CHARACTERS = 5000
KIND_WORDS = {
    ScheduleKind.RETRAIN: "Retrain",
    ScheduleKind.CLASSIFY: "Classify new files",
    ScheduleKind.CLEAN_UP: "Clean up",
    ScheduleKind.BACK_UP: "Back up",
}
COMMON = ("name", *due_fields.FIELDS)
TRAINING = ("what", "augmentation", *training_fields.NUMBERS)
FIELDS = {
    ScheduleKind.RETRAIN: (
        "network", "start_from", "data", "labels_since", "min_new_labels", "outcome", "min_gain", "max_p",
        "max_class_loss", *TRAINING,
    ),
    ScheduleKind.CLASSIFY: ("source", "model", "threshold", "labelled"),
    ScheduleKind.CLEAN_UP: ("older_than_days", "below_bytes", "keep_labelled"),
    ScheduleKind.BACK_UP: ("keep_daily", "keep_weekly"),
}  # fmt: skip
FLAGS = ("labelled", "keep_labelled")


class _NotANumber(Exception):
    """The text is not a number; the message says what was expected."""


ANY_LINE = "0 0 * * *"  # in place of a time that cannot be read, to check the other fields


@dataclass(frozen=True)
class ScheduleForm:
    """The values of the form, as text.

    Attributes:
        uploads: The ids of the uploads to train on.
        errors: One sentence for each invalid field.
    """

    kind: ScheduleKind
    values: Mapping[str, str]
    uploads: list[str] = field(default_factory=list)
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_request(cls, kind: ScheduleKind, request: Request) -> "ScheduleForm":
        """Read the values from the request."""
        names = (*COMMON, *FIELDS[kind])
        values = {name: request.form.get(name, "").strip()[:MAX_CHARACTERS] for name in names}
        return cls(kind, values, request.form.getlist("upload"))

    @classmethod
    def empty(cls, session: Session, kind: ScheduleKind) -> "ScheduleForm":
        """The form for a new schedule."""
        common = due_fields.show_default(kind) | {"name": KIND_WORDS[kind], "time_zone": schedules.DEFAULT_ZONE}
        return cls._from(kind, defaults_of(session, kind) | {"what": HEAD}, common)

    @classmethod
    def from_schedule(cls, schedule: Schedule) -> "ScheduleForm":
        """The form for an existing schedule."""
        when = due_fields.show(schedule.cron, schedule.every_n_labels)
        common = {"name": schedule.name, "time_zone": schedule.time_zone} | when
        return cls._from(ScheduleKind(schedule.kind), schedule.parameters, common)

    @classmethod
    def _from(cls, kind: ScheduleKind, parameters: Mapping[str, Any], common: dict[str, str]) -> "ScheduleForm":
        values = parameters | parameters.get("training", {})
        shown = {name: _SHOW.get(name, _shown)(values.get(name)) for name in FIELDS[kind]}
        uploads = parameters.get("uploads")
        shown["data"] = "all" if uploads is None else "chosen"
        return cls(kind, common | shown, list(uploads or ()))

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def to_schedule(self, is_on: bool = True) -> "tuple[NewSchedule, dict[str, str]]":
        """The schedule made from the form, and a sentence for each field that is not a number."""
        errors: dict[str, str] = {}

        def read(name: str) -> Any:
            try:
                return _READ.get(name, _text)(self[name])
            except _NotANumber as error:
                errors[name] = str(error)
                return None

        line, n_labels = self._read_when(errors)
        parameters = {name: read(name) for name in FIELDS[self.kind] if name != "data" and name not in TRAINING}
        if self.kind == ScheduleKind.RETRAIN:
            parameters["training"] = training_fields.parse({name: self[name] for name in TRAINING})
            parameters["uploads"] = self.uploads if self["data"] == "chosen" else None
        schedule = NewSchedule(
            name=self["name"],
            kind=self.kind,
            cron=line,
            time_zone=self["time_zone"],
            every_n_labels=n_labels,
            parameters=parameters,
            is_on=is_on,
        )
        return schedule, errors

    def _read_when(self, errors: dict[str, str]) -> tuple[str | None, int | None]:
        """The cron line, or the number of new labels; any line if neither can be read."""
        try:
            line = due_fields.read_line(self.values)
            if line is not None:
                return line, None
            n_labels = _whole(self["every_n_labels"])
        except due_fields.InvalidField as error:
            errors[error.field] = error.sentence
        except _NotANumber as error:
            errors["every_n_labels"] = str(error)
        else:
            if n_labels is not None:
                return None, n_labels
            errors["every_n_labels"] = "Enter a number of new labels."
        return ANY_LINE, None


@dataclass(frozen=True)
class NextRuns:
    """When a schedule would run, in words, and the next five times."""

    line: str
    words: str
    times: list[str]


def check_form(
    session: Session, form: ScheduleForm, roots: list[str], schedule: Schedule | None = None
) -> ScheduleForm:
    """The form with its errors."""
    new, errors = form.to_schedule(schedule.is_on if schedule else True)
    if form.kind == ScheduleKind.CLEAN_UP and not (form["older_than_days"] or form["below_bytes"]):
        errors["parameters"] = "Fill in one of the two fields, or both; otherwise nothing would be deleted."
    try:
        schedules.check_schedule(session, new, roots, schedule.id if schedule else None)
    except (Invalid, Conflict) as error:
        errors = split_sentences(error.message, form.kind) | errors
    return replace(form, errors=errors)


def split_sentences(message: str, kind: ScheduleKind) -> dict[str, str]:
    """Split an error message of core by the fields that it names; the rest concerns the whole form."""
    names = "|".join((*COMMON, *FIELDS[kind], "uploads", "training", "parameters"))
    parts = re.split(rf"(?:^|(?<=[.!?] ))({names}): ", message)
    errors = {WHOLE_FORM: parts[0].strip()} if parts[0].strip() else {}
    for name, sentence in zip(parts[1::2], parts[2::2], strict=True):
        errors.setdefault("data" if name == "uploads" else name, sentence[:1].upper() + sentence[1:].strip())
    return errors


def preview_runs(session: Session, form: ScheduleForm) -> NextRuns | None:
    """When the schedule would run; None if that is invalid, or depends on labels."""
    zone = form["time_zone"]
    try:
        line = due_fields.read_line(form.values)
        if line is None:
            return None
        kept = cron.check_line(line, zone)
    except (Invalid, due_fields.InvalidField):
        return None
    times = cron.list_next(kept, zone, schedules.read_clock(session), due_times.N_LISTED)
    return NextRuns(kept, due_times.describe_line(kept), [show_zoned(moment) for moment in times])


def show_zoned(moment: Any) -> str:
    """A time in its own zone: "Sunday, 29 Nov 2026, 03:00"."""
    return f"{moment:%A, {moment.day} %b %Y, %H:%M}"


def _text(text: str) -> Any:
    return text or None


def _flag(text: str) -> bool:
    return text != ""


def _whole(text: str) -> int | None:
    try:
        return int(text.replace(",", "")) if text else None
    except ValueError:
        raise _NotANumber(f"Expected a whole number; got {text[:100]!r}.") from None


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        raise _NotANumber(f"Expected a number; got {text[:100]!r}.") from None


def _points(text: str) -> float | None:
    number = _number(text)
    if number is not None and not 0 <= number <= 100:
        raise _NotANumber(f"Expected points from 0 to 100; got {text[:100]!r}.")
    return None if number is None else number / 100


def _gigabytes(text: str) -> int | None:
    number = _number(text)
    if number is not None and not 0 <= number < 2**30:
        raise _NotANumber(f"Expected a number of gigabytes; got {text[:100]!r}.")
    return None if number is None else round(number * GB)


_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("min_new_labels", "keep_daily", "keep_weekly"), _whole),
    "min_gain": _points,
    "max_class_loss": _points,
    "max_p": _number,
    "threshold": _number,
    "older_than_days": _number,
    "below_bytes": _gigabytes,
    **dict.fromkeys(FLAGS, _flag),
}


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def _shown_points(value: Any) -> str:
    return "" if value is None else f"{100 * value:.6g}"


_SHOW: dict[str, Callable[[Any], str]] = {
    "min_gain": _shown_points,
    "max_class_loss": _shown_points,
    "below_bytes": lambda value: "" if value is None else f"{value / GB:.6g}",
    **dict.fromkeys(FLAGS, lambda value: "1" if value else ""),
}
