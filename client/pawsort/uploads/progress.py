"""Progress bars on the terminal: uploaded, classified, speed, time left; and the paths that were skipped."""

from collections import Counter
from collections.abc import Sequence

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from pawsort.console import Terminal, first_lines
from pawsort.terminal import visible
from pawsort.uploads.ignored_names import count_words
from pawsort.uploads.sources import SkippedPath


class Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


class ProgressBars:
    """The progress of a classification, on standard error, so that results can go to standard output."""

    def __init__(self, console: Terminal) -> None:
        self._console = console
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=console.quiet,
            speed_estimate_period=20,
        )
        self._uploading: TaskID | None = None
        self._classifying: TaskID | None = None

    def show_ignored(self, counts: Counter[str]) -> None:
        if counts:
            self._console.warn(ignored_words(counts))

    def start_upload(self, name: str, total: int) -> None:
        self._uploading = self.progress.add_task(f"uploading {visible(name)}", total=total)

    def add_uploaded(self, count: int) -> None:
        if self._uploading is not None:
            self.progress.advance(self._uploading, count)

    def show_classified(self, count: int, total: int) -> None:
        if self._classifying is None:
            self._classifying = self.progress.add_task("classified", total=total)
        self.progress.update(self._classifying, completed=count, total=total)


def ignored_words(counts: Counter[str]) -> str:
    """Return a sentence on what systems and tools left behind and is not sent."""
    return f"Left out {count_words(counts)}. To send them as well, add --everything."


def print_skipped(console: Terminal, skipped: Sequence[SkippedPath]) -> None:
    """Print the first skipped paths with their reasons, and how many more there are."""
    for line in first_lines([f"Skipped {path.path}: {path.reason}" for path in skipped]):
        console.warn(line)
