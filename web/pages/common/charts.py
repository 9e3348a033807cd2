"""Line charts: from numbers to positions in a drawing. `templates/shared/_charts.html` makes the SVG from them.

Text keeps its size at any page width: horizontal positions are in percent of the drawing's width, vertical ones in
pixels. The lines themselves are in a box that is stretched, `BOX` units wide.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HEIGHT_PX = 250
TOP_PX, BOTTOM_PX = 30, 206
LEFT_PERCENT, RIGHT_PERCENT = 13.0, 97.0
BOX = 1000.0
TICKS_WANTED = 5
MOST_DOTS = 40
STEPS = (1.0, 2.0, 5.0, 10.0)

Point = tuple[float, float]
ToText = Callable[[float], str]


@dataclass(frozen=True)
class Series:
    """One line. `style`, 1 to 4, sets its colour, dashes and dots; lines of a chart should have different styles."""

    name: str
    points: Sequence[Point]
    style: int = 1


@dataclass(frozen=True)
class Mark:
    """A vertical line that marks a value, such as the best epoch or the current threshold."""

    x: float
    text: str


@dataclass(frozen=True)
class Tick:
    """A number at an axis; `at` is in percent horizontally, in pixels vertically."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A value of a line, with its tooltip."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    """A series as it is drawn: `path` in the stretched box, and dots in the drawing, if there are few enough."""

    name: str
    style: int
    path: str
    dots: list[Dot]


@dataclass(frozen=True)
class Chart:
    """Everything that the macro `line_chart` of `shared/_charts.html` draws."""

    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    marks: list[Tick] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The title as a part of ids on the page."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class _Scale:
    """Maps values to positions between two ends."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def line_chart(
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    *,
    title: str,
    description: str = "",
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    x_text: ToText | None = None,
    y_text: ToText | None = None,
    x_is_whole: bool = False,
    marks: Sequence[Mark] = (),
) -> Chart:
    """Lines over two axes, drawn by the macro `line_chart` of `templates/shared/_charts.html`.

    Never show a chart alone: put a table with the same numbers next to it, for people who cannot see it.

    Args:
        series: The lines; a line without points is in the legend only.
        x_label, y_label: Labels of the axes, with units.
        title: Shown above the chart; unique on the page.
        description: The content of the chart in a sentence, for screen readers.
        x_range, y_range: First and last value; default: from the points. Points outside are drawn at the edge.
        x_text, y_text: Format values; default: as few decimals as the ticks need.
        x_is_whole: Whether x values are whole numbers, such as epochs, without ticks between them.
        marks: Vertical lines.
    """
    drawn = [(x, y) for one in series for x, y in one.points if math.isfinite(x) and math.isfinite(y)]
    x_values = make_ticks(*(x_range or _ends([x for x, _ in drawn])), least=1.0 if x_is_whole else 0.0)
    y_values = make_ticks(*(y_range or _ends([y for _, y in drawn])))
    across = _Scale(*(x_range or _span([x for x, _ in drawn])), LEFT_PERCENT, RIGHT_PERCENT)
    up = _Scale(*(y_range or (y_values[0], y_values[-1])), BOTTOM_PX, TOP_PX)
    x_words, y_words = x_text or _writer(x_values), y_text or _writer(y_values)
    return Chart(
        title=title,
        description=description,
        x_label=x_label,
        y_label=y_label,
        x_ticks=_ticks(x_values, across, x_words),
        y_ticks=_ticks(y_values, up, y_words),
        lines=[_line(one, across, up, x_label, x_words, y_text) for one in series],
        marks=[Tick(round(across.place(mark.x), 3), mark.text) for mark in marks],
    )


def make_ticks(low: float, high: float, wanted: int = TICKS_WANTED, least: float = 0.0) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, that cover the range from `low` to `high`.

    Args:
        low: The smallest value to show.
        high: The largest value to show.
        wanted: The approximate number of steps.
        least: The smallest distance between two ticks; 0 for any.
    """
    if high <= low:
        low, high = low - (abs(low) or 1.0) / 2, low + (abs(low) or 1.0) / 2
    rough = max((high - low) / wanted, least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(least, power * next(one for one in STEPS if one * power >= rough * (1 - 1e-9)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (0.0, 1.0)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """The ends, which always differ: a single epoch is drawn in the middle."""
    low, high = _ends(values)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _ticks(values: Sequence[float], scale: _Scale, text: ToText) -> list[Tick]:
    shown = [value for value in values if scale.low - 1e-9 <= value <= scale.high + 1e-9]
    return [Tick(round(scale.place(value), 3), text(value)) for value in shown]


def _line(series: Series, across: _Scale, up: _Scale, x_label: str, x_text: ToText, y_text: ToText | None) -> Line:
    known = [(x, y) for x, y in series.points if math.isfinite(x) and math.isfinite(y)]
    box = _Scale(across.low, across.high, 0.0, BOX)
    path = " ".join(f"{box.place(x):.1f},{up.place(y) - TOP_PX:.1f}" for x, y in known)
    few = known if len(known) <= MOST_DOTS else []
    words = y_text or (lambda y: f"{y:.4g}")
    dots = [
        Dot(
            round(across.place(x), 3),
            round(up.place(y), 1),
            f"{series.name}: {words(y)} ({x_label} {x_text(x)})",
        )
        for x, y in few
    ]
    return Line(series.name, series.style, path, dots)


def _writer(ticks: Sequence[float]) -> ToText:
    """A formatter with as many decimals as the ticks need to differ."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return lambda value: f"{value:,.{decimals}f}"
