"""Numbers, sizes, times and states in words. static/shared/text/words.js does the same in the browser."""

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
_RUNNING = {JobKind.TRAIN: "Training", JobKind.EVALUATE: "Evaluating", JobKind.LABEL_QUALITY: "Checking"}


def register_words(app: App) -> None:
    """Make these words available to the templates: filters, and globals for the supported formats."""
    filters = {
        "count": count,
        "plural": plural,
        "duration": duration,
        "bytes": in_bytes,
        "limit": as_limit,
        "percent": percent,
        "label": label,
        "split_name": split_name,
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
        image_formats=image_formats.join_names(),
        image_suffixes=",".join(f".{suffix}" for suffix in image_formats.SUFFIXES),
    )


def count(n: int) -> str:
    """20000 -> "20,000"."""
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """(1, "picture") -> "1 picture"; (2, "picture") -> "2 pictures"."""
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def in_bytes(n: int) -> str:
    """3400000 -> "3.4 MB"; in decimal units, as in file managers."""
    value, unit = float(n), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{_round(value * 10) / 10:.1f} {_UNITS[unit]}"
        if unit and value < 9.95
        else f"{_round(value):,} {_UNITS[unit]}"
    )


def as_limit(n: int) -> str:
    """67108864 -> "64 MB": what fits in either unit, and is a round number where the limit is."""
    power = next((power for power in range(len(_UNITS) - 1, 1, -1) if n % 1024**power == 0), None)
    return in_bytes(n) if not n or power is None else f"{count(n // 1024**power)} {_UNITS[power]}"


def percent(share: float) -> str:
    """0.8734 -> "87 %"; rounds down, so that 99.9 % never becomes 100 %."""
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
    """850.2 -> "850 pictures per second"; per minute below 1 per second."""
    if per_second >= 10:
        return f"{_round(per_second):,} pictures per second"
    if per_second >= 1:
        return f"{_round(per_second * 10) / 10:.1f} pictures per second"
    return f"{plural(_round(per_second * 60), 'picture')} per minute"


def label(name: str) -> str:
    """ "cat" -> "Cat"."""
    return name[:1].upper() + name[1:]


def split_name(name: str) -> str:
    """ "judging" -> "test": how users call the splits; the stored names are older."""
    return {"judging": "test", "test": "final test"}.get(name, name)


def state_word(state: str, kind: str = JobKind.CLASSIFY) -> str:
    """The state of a job as users see it."""
    return (
        _RUNNING.get(JobKind(kind), _STATES[JobState.RUNNING])
        if state == JobState.RUNNING
        else _STATES[JobState(state)]
    )


def moment(instant: datetime) -> str:
    """A time for pages without JavaScript; with it, the page shows the reader's own time zone."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(instant: datetime) -> str:
    """A time for the attribute `datetime` of <time>."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def file_name(path: str) -> str:
    """ "photos/a/1.jpg" -> "1.jpg"."""
    return path.rpartition("/")[2]


def folder(path: str) -> str:
    """ "photos/a/1.jpg" -> "photos/a"."""
    return path.rpartition("/")[0]


def cell(text: str) -> str:
    """Text for a cell of a Markdown table: on one line, with all markup escaped."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(str(text).split()))


def _round(value: float) -> int:
    # As in browsers; Python's round() rounds halves to the even neighbour.
    return math.floor(value + 0.5)


def in_code(sentence: str) -> Markup:
    """Show the parts of a sentence between backticks as code."""
    pieces = (
        Markup("<code>{}</code>").format(piece) if n % 2 else escape(piece)
        for n, piece in enumerate(sentence.split("`"))
    )
    return Markup("").join(pieces)
