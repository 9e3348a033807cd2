"""The form of a schedule: what was typed, what is wrong with it, and what a schedule is made of."""

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
from core.schedules import schedules
from core.schedules.parameters import defaults_of
from core.schedules.schedules import NewSchedule
from web.pages.common import training_fields

WHOLE_FORM = ""  # the key of what is wrong with several fields together
GB = 10**9
MAX_TYPED = 5000
KIND_WORDS = {
    ScheduleKind.RETRAIN: "Retrain",
    ScheduleKind.CLASSIFY: "Classify what is new",
    ScheduleKind.CLEAN_UP: "Clean up",
}
COMMON = ("name", "cron", "time_zone", "every_n_labels")
TRAINING = ("what", "augmentation", *training_fields.NUMBERS)
FIELDS = {
    ScheduleKind.RETRAIN: (
        "network", "start_from", "data", "labels_since", "min_new_labels", "outcome", "min_gain", "max_p",
        "max_class_loss", *TRAINING,
    ),
    ScheduleKind.CLASSIFY: ("source", "model", "threshold", "labelled"),
    ScheduleKind.CLEAN_UP: ("older_than_days", "below_bytes", "keep_labelled"),
}  # fmt: skip
FLAGS = ("labelled", "keep_labelled")


class _NotANumber(Exception):
    """What was typed is no number; the text says what was expected."""


@dataclass(frozen=True)
class ScheduleForm:
    """What somebody filled in, as text, and one sentence for each field that is wrong.

    `uploads` are the ids that were chosen to learn from.
    """

    kind: ScheduleKind
    values: Mapping[str, str]
    uploads: list[str] = field(default_factory=list)
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_request(cls, kind: ScheduleKind, request: Request) -> "ScheduleForm":
        """Read it from the form."""
        names = (*COMMON, *FIELDS[kind])
        values = {name: request.form.get(name, "").strip()[:MAX_TYPED] for name in names}
        return cls(kind, values, request.form.getlist("upload"))

    @classmethod
    def empty(cls, session: Session, kind: ScheduleKind) -> "ScheduleForm":
        """What the form begins with."""
        return cls._from(kind, defaults_of(session, kind), {"time_zone": schedules.DEFAULT_ZONE})

    @classmethod
    def from_schedule(cls, schedule: Schedule) -> "ScheduleForm":
        """A schedule, to be changed."""
        common = {name: _shown(getattr(schedule, name)) for name in COMMON}
        return cls._from(ScheduleKind(schedule.kind), schedule.parameters, common)

    @classmethod
    def _from(cls, kind: ScheduleKind, parameters: Mapping[str, Any], common: dict[str, str]) -> "ScheduleForm":
        told = parameters | parameters.get("training", {})
        shown = {name: _SHOW.get(name, _shown)(told.get(name)) for name in FIELDS[kind]}
        uploads = parameters.get("uploads")
        shown["data"] = "all" if uploads is None else "chosen"
        return cls(kind, common | shown, list(uploads or ()))

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def to_schedule(self, is_on: bool = True) -> "tuple[NewSchedule, dict[str, str]]":
        """The schedule that was typed, and a sentence for each field that is no number."""
        wrong: dict[str, str] = {}

        def read(name: str) -> Any:
            try:
                return _READ.get(name, _text)(self[name])
            except _NotANumber as error:
                wrong[name] = str(error)
                return None

        parameters = {name: read(name) for name in FIELDS[self.kind] if name != "data" and name not in TRAINING}
        if self.kind == ScheduleKind.RETRAIN:
            parameters["training"] = training_fields.parse({name: self[name] for name in TRAINING})
            parameters["uploads"] = self.uploads if self["data"] == "chosen" else None
        wanted = NewSchedule(
            name=self["name"],
            kind=self.kind,
            cron=self["cron"] or None,
            time_zone=self["time_zone"],
            every_n_labels=read("every_n_labels"),
            parameters=parameters,
            is_on=is_on,
        )
        return wanted, wrong


@dataclass(frozen=True)
class NextRuns:
    """When a schedule would come due, in words, and the next five times."""

    words: str
    times: list[str]


def check(session: Session, typed: ScheduleForm, roots: list[str], schedule: Schedule | None = None) -> ScheduleForm:
    """The same with a sentence for each field that is wrong."""
    wanted, wrong = typed.to_schedule(schedule.is_on if schedule else True)
    if typed.kind == ScheduleKind.CLEAN_UP and not (typed["older_than_days"] or typed["below_bytes"]):
        wrong["parameters"] = "Fill in one of both fields, or both: else nothing would ever be deleted."
    try:
        schedules.check_schedule(session, wanted, roots, schedule.id if schedule else None)
    except (Invalid, Conflict) as error:
        wrong = split_sentences(error.message, typed.kind) | wrong
    return replace(typed, wrong=wrong)


def split_sentences(message: str, kind: ScheduleKind) -> dict[str, str]:
    """What core says of several values, by the fields that it names; the rest belongs to the form as a whole."""
    names = "|".join((*COMMON, *FIELDS[kind], "uploads", "training", "parameters"))
    parts = re.split(rf"(?:^|(?<=[.!?] ))({names}): ", message)
    wrong = {WHOLE_FORM: parts[0].strip()} if parts[0].strip() else {}
    for name, sentence in zip(parts[1::2], parts[2::2], strict=True):
        wrong.setdefault("data" if name == "uploads" else name, sentence[:1].upper() + sentence[1:].strip())
    return wrong


def preview_runs(session: Session, line: str, zone: str) -> NextRuns | None:
    """When a line comes due; None when it cannot be read."""
    try:
        kept = cron.check_line(line, zone)
    except Invalid:
        return None
    times = cron.list_next(kept, zone, schedules.read_clock(session), 5)
    return NextRuns(cron.in_words(kept), [show_zoned(moment) for moment in times])


def show_zoned(moment: Any) -> str:
    """A moment as clocks in its zone show it: "Sunday, 29 Nov 2026, 03:00"."""
    return f"{moment:%A, {moment.day} %b %Y, %H:%M}"


def _text(typed: str) -> Any:
    return typed or None


def _flag(typed: str) -> bool:
    return typed != ""


def _whole(typed: str) -> int | None:
    try:
        return int(typed.replace(",", "")) if typed else None
    except ValueError:
        raise _NotANumber(f"Expected a whole number; got {typed[:100]!r}.") from None


def _number(typed: str) -> float | None:
    try:
        return float(typed.replace(",", ".")) if typed else None
    except ValueError:
        raise _NotANumber(f"Expected a number; got {typed[:100]!r}.") from None


def _points(typed: str) -> float | None:
    number = _number(typed)
    if number is not None and not 0 <= number <= 100:
        raise _NotANumber(f"Expected points from 0 to 100; got {typed[:100]!r}.")
    return None if number is None else number / 100


def _gigabytes(typed: str) -> int | None:
    number = _number(typed)
    if number is not None and not 0 <= number < 2**30:
        raise _NotANumber(f"Expected a number of gigabytes; got {typed[:100]!r}.")
    return None if number is None else round(number * GB)


_READ: dict[str, Callable[[str], Any]] = {
    "every_n_labels": _whole,
    "min_new_labels": _whole,
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
