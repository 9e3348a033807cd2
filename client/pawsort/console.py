"""Standard error as Rich writes it: colours, progress bars, a changing line."""

from typing import Any

from rich.console import Console

from pawsort.terminal import current_output, visible


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
