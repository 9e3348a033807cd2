"""What is printed: names, and sentences of a server, may hold characters that a terminal obeys, or that nobody sees.

Everything that a command prints goes through here. Files that it writes have names as they are.
"""

import io
import sys
import unicodedata
from typing import Any

import click
from rich.console import Console
from rich.table import Table

# Control characters, invisible ones and those that turn the direction of text, halves of characters, line breaks.
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def visible(text: str) -> str:
    r"""The text with every character written out that is not shown as itself: an escape character becomes `\x1b`."""
    return "".join(_written_out(one) if unicodedata.category(one) in _HIDDEN else one for one in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def echo(text: str, err: bool = False) -> None:
    """Print a line."""
    click.echo(visible(text), err=err)


def print_error(error: click.ClickException) -> None:
    """Print on standard error what went wrong: the sentence may quote a file, or be a server's."""
    shown = io.StringIO()
    error.show(shown)
    if sentence := shown.getvalue().rstrip("\n"):  # an error that has a log of its own shows nothing
        for line in sentence.split("\n"):
            echo(line, err=True)


class Terminal(Console):
    """Standard error, where commands say what they do; results alone go to standard output."""

    def __init__(self) -> None:
        super().__init__(stderr=True, highlight=False, soft_wrap=True, markup=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts, each character as itself or written out, or something that Rich lays out."""
        super().print(*(visible(one) if isinstance(one, str) else one for one in objects), **options)


class TextTable(Table):
    """A table without lines between its cells."""

    def __init__(self) -> None:
        super().__init__(box=None, pad_edge=False, header_style="bold")

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row of texts."""
        super().add_row(*(visible(cell) for cell in cells), **options)

    def print(self, width: int = 200) -> None:
        """Print it on standard output.

        Args:
            width: Where there is no terminal, and so no width to fit into; nothing is cut off.
        """
        Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else width).print(self)
