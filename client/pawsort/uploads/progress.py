"""Progress bars on the terminal: uploaded, classified, speed, time left; and the paths that were skipped."""

from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from pawsort.console import Progress, Terminal, first_lines
from pawsort.terminal import visible
from pawsort.uploads.ignored_names import count_words
from pawsort.uploads.sources import SkippedPath

FORMAT = "{desc} {bar} {counts} {speed} {remaining}"
WIDEST = 100  # of a bar with everything around it


class ProgressBar(Progress):
    """One bar, with counts and items per second."""

    @property
    def format_dict(self) -> dict[str, Any]:
        """What FORMAT names, besides what tqdm knows."""
        known: dict[str, Any] = super().format_dict
        speed = known["rate"] or (self.n / known["elapsed"] if known["elapsed"] else 0)
        return known | {
            "ncols": min(known["ncols"] or WIDEST, WIDEST),
            "counts": f"{self.n:,} of {self.total:,}",
            "speed": f"{speed:,.0f}/s" if speed else "",
        }


class ProgressBars:
    """The progress of a classification, on standard error, so that results can go to standard output."""

    def __init__(self, console: Terminal) -> None:
        self._console = console
        self._bars: list[ProgressBar] = []
        self._uploading: ProgressBar | None = None
        self._classifying: ProgressBar | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for bar in self._bars:
            bar.close()

    def show_ignored(self, counts: Counter[str]) -> None:
        if counts:
            self._console.warn(ignored_words(counts))

    def start_upload(self, name: str, total: int) -> None:
        self._uploading = self._add(f"uploading {visible(name)}", total)

    def add_uploaded(self, count: int) -> None:
        if self._uploading is not None:
            self._uploading.move(self._uploading.n + count)

    def show_classified(self, count: int, total: int) -> None:
        if self._classifying is None:
            self._classifying = self._add("classified", total)
        self._classifying.total = total
        self._classifying.move(count)

    def _add(self, description: str, total: int) -> ProgressBar:
        bar = ProgressBar(self._console, desc=description, total=total, bar_format=FORMAT)
        self._bars.append(bar)
        return bar


def ignored_words(counts: Counter[str]) -> str:
    """Return a sentence on what systems and tools left behind and is not sent."""
    return f"Left out {count_words(counts)}. To send them as well, add --everything."


def print_skipped(console: Terminal, skipped: Sequence[SkippedPath]) -> None:
    """Print the first skipped paths with their reasons, and how many more there are."""
    for line in first_lines([f"Skipped {path.path}: {path.reason}" for path in skipped]):
        console.warn(line)
