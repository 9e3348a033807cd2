"""Standard error as Rich writes it: colours, progress bars, a changing line."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from pawsort.terminal import current_output, visible

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


class Terminal(Console):
    """Standard error, where commands say what they do while they work. `--quiet` leaves warnings and problems."""

    def __init__(self) -> None:
        quiet = current_output().is_quiet
        super().__init__(stderr=True, highlight=False, soft_wrap=True, markup=False, quiet=quiet)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts, each character as itself or written out, or something that Rich lays out."""
        super().print(*(visible(one) if isinstance(one, str) else one for one in objects), **options)

    def warn(self, text: str, style: str = "yellow") -> None:
        """Print what the user must know, also with `--quiet`."""
        quiet, self.quiet = self.quiet, False
        try:
            self.print(text, style=style)
        finally:
            self.quiet = quiet

    def report(self, text: str) -> None:
        """Print what went wrong."""
        self.warn(text, "red")
