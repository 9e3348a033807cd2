"""Progress bars on the terminal: uploaded, classified, speed, time left; and the paths that were skipped."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from pawsort.uploads.sources import SkippedPath

SHOWN_SKIPPED = 10
DRAW_EVERY_S = 0.1


class Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


class ProgressBars:
    """The progress of a classification, on standard error, so that results can go to standard output.

    The caller's thread draws the bars. With a thread of their own, a Ctrl-C in the middle of an update could leave that
    thread waiting for a lock for ever, and the command waiting for that thread.
    """

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            speed_estimate_period=20,
            auto_refresh=False,
        )
        self._drawn_at = 0.0
        self._uploading: TaskID | None = None
        self._classifying: TaskID | None = None

    def start_upload(self, name: str, total: int) -> None:
        self._uploading = self.progress.add_task(f"uploading {name}", total=total)
        self._draw()

    def add_uploaded(self, count: int) -> None:
        if self._uploading is not None:
            self.progress.advance(self._uploading, count)
            self._draw()

    def show_classified(self, count: int, total: int) -> None:
        if self._classifying is None:
            self._classifying = self.progress.add_task("classified", total=total)
        self.progress.update(self._classifying, completed=count, total=total)
        self._draw()

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._drawn_at >= DRAW_EVERY_S:
            self._drawn_at = now
            self.progress.refresh()


def print_skipped(console: Console, skipped: Sequence[SkippedPath]) -> None:
    """Print the first skipped paths with their reasons, and how many more there are."""
    for path in skipped[:SHOWN_SKIPPED]:
        console.print(f"Skipped {path.path}: {path.reason}", style="yellow", markup=False)
    if len(skipped) > SHOWN_SKIPPED:
        console.print(f"… and {len(skipped) - SHOWN_SKIPPED:,} more.", style="yellow", markup=False)
