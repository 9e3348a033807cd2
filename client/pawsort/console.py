"""Standard error while a command works: its sentences in colours, progress bars, a line that changes."""

import sys
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from pawsort.terminal import current_output, echo, visible

SHOWN = 10


def first_lines(lines: Sequence[str], n: int | None = None) -> list[str]:
    """The first lines, and one that says how many more there are.

    Args:
        n: How many there are in all; None if these are all.
    """
    n_more = (len(lines) if n is None else n) - SHOWN
    return [*lines[:SHOWN], *([f"… and {n_more:,} more."] if n_more > 0 else [])]


def count_parts(counts: Mapping[str, int]) -> list[str]:
    """The parts of a summary: each count that is not 0, with its words."""
    return [f"{n:,} {words}" for words, n in counts.items() if n]


class Terminal:
    """Standard error, where commands say what they do while they work. `--quiet` leaves warnings and problems.

    Attributes:
        is_quiet: Whether nothing but those is shown.
    """

    def __init__(self) -> None:
        self.is_quiet = current_output().is_quiet

    def print(self, text: str) -> None:
        """Print what the command does, or has done."""
        if not self.is_quiet:
            echo(text, err=True)

    def warn(self, text: str) -> None:
        """Print what the user must know, also with `--quiet`."""
        echo(text, err=True, colour="yellow")

    def report(self, text: str) -> None:
        """Print what went wrong."""
        echo(text, err=True, colour="red")


class Progress(tqdm):  # type: ignore[misc]  # tqdm has no types
    """Something that changes on standard error, of a terminal alone. Any thread may change it."""

    monitor_interval = 0  # no thread of its own

    def __init__(self, console: Terminal, **options: Any) -> None:
        hidden = console.is_quiet or not sys.stderr.isatty()
        super().__init__(file=sys.stderr, disable=hidden, miniters=1, dynamic_ncols=True, **options)

    def move(self, n: int) -> None:
        """Show that so many are done."""
        with self.get_lock():
            self.update(n - self.n)


# tqdm's own lock also holds for other processes, which would take time to import.
Progress.set_lock(threading.RLock())


class StatusLine:
    """A line that says what goes on, and leaves nothing behind."""

    def __init__(self, console: Terminal, text: str) -> None:
        self._console, self._text = console, text
        self._line: Progress | None = None

    def __enter__(self) -> Self:
        self._line = Progress(self._console, bar_format="{desc}", desc=self._text, leave=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.close()

    def update(self, text: str) -> None:
        """Show another text."""
        self._text = visible(text)
        if self._line is not None:
            self._line.set_description_str(self._text)
