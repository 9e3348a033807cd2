"""The confidence of a job's pictures as bars. static/jobs/threshold.js moves the threshold over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from core.base.network_catalog import CLASSES
from core.jobs.navigation import Bin

N_BARS = 50
THOUSANDTHS = 1000 // N_BARS
WIDTH, HEIGHT = 1000.0, 120.0
GAP = 3.0


@dataclass(frozen=True)
class Bar:
    """One section of a bar, in units of the drawing; `label` is a class."""

    label: str
    x: float
    y: float
    width: float
    height: float
    text: str


def make_bars(bins: Sequence[Bin]) -> list[Bar]:
    """The bars of a histogram, with the classes stacked."""
    counts = [[0] * len(CLASSES) for _ in range(N_BARS)]
    for class_index, thousandth, n, _ in bins:
        counts[min(thousandth // THOUSANDTHS, N_BARS - 1)][class_index] += n
    # Most pictures have a high confidence: the square root of their number keeps the few others visible.
    tallest = max((sqrt(sum(column)) for column in counts), default=0.0) or 1.0
    return [bar for position, column in enumerate(counts) for bar in _stack(position, column, tallest)]


def _stack(position: int, column: Sequence[int], tallest: float) -> list[Bar]:
    total, below, bars = sum(column), 0.0, []
    for name, n in zip(CLASSES, column, strict=True):
        if not n:
            continue
        height = max(HEIGHT * sqrt(total) / tallest * n / total, 2.0)
        low, high = position * THOUSANDTHS / 10, (position + 1) * THOUSANDTHS / 10
        text = f"{n:,} {name}, {low:g} to {high:g} % confidence"
        width = WIDTH / N_BARS
        bars.append(Bar(name, position * width + GAP / 2, HEIGHT - below - height, width - GAP, height, text))
        below += height
    return bars
