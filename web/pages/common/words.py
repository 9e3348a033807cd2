"""Numbers, sizes, times and states as people read them. static/shared/words.js says the same in the browser."""

import math
import re
from datetime import UTC, datetime

from flask.sansio.app import App
from markupsafe import Markup, escape

from core.base import image_formats
from core.base.states import JobKind, JobState

_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_STATES = {
    JobState.RECEIVING: "Receiving",
    JobState.QUEUED: "Waiting",
    JobState.RUNNING: "Sorting",
    JobState.DONE: "Done",
    JobState.CANCELLED: "Stopped",
    JobState.FAILED: "Failed",
}
_RUNNING = {JobKind.TRAIN: "Training", JobKind.EVALUATE: "Judging", JobKind.LABEL_QUALITY: "Looking"}


def register_words(app: App) -> None:
    """Make these words available to the templates: filters, and globals for the supported formats."""
    filters = {
        "count": count,
        "plural": plural,
        "duration": duration,
        "bytes": in_bytes,
        "percent": percent,
        "label": label,
        "state_word": state_word,
        "moment": moment,
        "iso": iso,
        "file_name": file_name,
        "folder": folder,
        "cell": cell,
        "in_code": in_code,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(
        image_formats=image_formats.join_names("and"),
        image_suffixes=",".join(f".{suffix}" for suffix in image_formats.SUFFIXES),
    )


def count(n: int) -> str:
    """20000 -> "20,000"."""
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """(1, "picture") -> "1 picture"; (2, "picture") -> "2 pictures"."""
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def in_bytes(n: int) -> str:
    """3400000 -> "3.4 MB"; decimal units, as file managers show them."""
    value, unit = float(n), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{_round(value * 10) / 10:.1f} {_UNITS[unit]}"
        if unit and value < 9.95
        else f"{_round(value):,} {_UNITS[unit]}"
    )


def percent(share: float) -> str:
    """0.8734 -> "87 %"; never rounds up to a certainty that is not there."""
    return f"{math.floor(_round(share * 1e6) / 1e4)} %"


def duration(seconds: float) -> str:
    """130 -> "about 2 minutes"."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return f"about {max(5, _round(seconds / 5) * 5)} seconds"
    if seconds < 55 * 60:
        return f"about {plural(max(1, _round(seconds / 60)), 'minute')}"
    if seconds < 36 * 3600:
        return f"about {plural(max(1, _round(seconds / 3600)), 'hour')}"
    return f"about {plural(_round(seconds / 86400), 'day')}"


def rate(per_second: float) -> str:
    """850.2 -> "850 pictures per second"; slow ones in minutes."""
    if per_second >= 10:
        return f"{_round(per_second):,} pictures per second"
    if per_second >= 1:
        return f"{_round(per_second * 10) / 10:.1f} pictures per second"
    return f"{plural(_round(per_second * 60), 'picture')} per minute"


def label(name: str) -> str:
    """ "cat" -> "Cat"."""
    return name[:1].upper() + name[1:]


def state_word(state: str, kind: str = JobKind.CLASSIFY) -> str:
    """What a person calls this state of a job."""
    return (
        _RUNNING.get(JobKind(kind), _STATES[JobState.RUNNING])
        if state == JobState.RUNNING
        else _STATES[JobState(state)]
    )


def moment(instant: datetime) -> str:
    """A point in time for readers without JavaScript; with it, the page shows it in the reader's own zone."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(instant: datetime) -> str:
    """For <time datetime>."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def file_name(path: str) -> str:
    """ "photos/a/1.jpg" -> "1.jpg"."""
    return path.rpartition("/")[2]


def folder(path: str) -> str:
    """ "photos/a/1.jpg" -> "photos/a"."""
    return path.rpartition("/")[0]


def cell(text: str) -> str:
    """Text for a cell of a table in Markdown: on one line, and nothing in it is markup."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))


def _round(value: float) -> int:
    # As browsers do; Python's round() takes halves to the even neighbour.
    return math.floor(value + 0.5)


def in_code(sentence: str) -> Markup:
    """What stands between backticks in a sentence is shown as something to type."""
    pieces = (
        Markup("<code>{}</code>").format(piece) if n % 2 else escape(piece)
        for n, piece in enumerate(sentence.split("`"))
    )
    return Markup("").join(pieces)
