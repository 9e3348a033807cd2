"""Bars on the terminal: how much has been sent, how much is classified, how fast, how long still."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text


class Rate(ProgressColumn):
    """Things in a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


class Bars:
    """The display of a classification, on standard error, so that results can go to standard output."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            speed_estimate_period=20,
        )
        self._sending: TaskID | None = None
        self._classifying: TaskID | None = None

    def sending(self, name: str, total: int) -> None:
        self._sending = self.progress.add_task(f"sending {name}", total=total)

    def sent(self, count: int) -> None:
        if self._sending is not None:
            self.progress.advance(self._sending, count)

    def classified(self, count: int, total: int) -> None:
        if self._classifying is None:
            self._classifying = self.progress.add_task("classified", total=total)
        self.progress.update(self._classifying, completed=count, total=total)
