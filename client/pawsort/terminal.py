"""What commands print: results on standard output, everything else on standard error.

Names, and sentences of a server, may hold characters that a terminal obeys, or that nobody sees. They are written out.
Files that a command writes have names as they are.
"""

import io
import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from itertools import zip_longest
from typing import Any, TypeAlias

import click

from pawsort.answer import Answer

# Control characters, invisible ones and those that turn the direction of text, halves of characters, line breaks.
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_KEY = "pawsort.output"
GAP = "  "
NARROWEST = 12  # of a column that is wrapped, if the terminal leaves so much


def visible(text: str) -> str:
    r"""The text with every character written out that is not shown as itself: an escape character becomes `\x1b`."""
    return "".join(_written_out(one) if unicodedata.category(one) in _HIDDEN else one for one in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def echo(text: str, err: bool = False, *, colour: str | None = None, mark: str = "") -> None:
    """Print a line.

    Args:
        colour: On a terminal, of the whole line; of the mark, if there is one.
        mark: What the line begins with.
    """
    if mark:
        line = click.style(mark, fg=colour) + visible(text)
    else:
        line = click.style(visible(text), fg=colour) if colour else visible(text)
    with _progress_hidden():
        click.echo(line, err=err, color=False if os.environ.get("NO_COLOR") else None)


def _progress_hidden() -> AbstractContextManager[None]:
    """Remove progress bars for a moment. They are drawn again below what is printed meanwhile."""
    tqdm = sys.modules.get("tqdm")  # without it there are none
    return tqdm.tqdm.external_write_mode() if tqdm else nullcontext()


class TextTable:
    """A table without lines between its cells. On a terminal, columns are wrapped until it fits, but never the first.

    Args:
        columns: Their headings.
        right: The headings of columns of numbers.
    """

    def __init__(self, *columns: str, right: Collection[str] = ()) -> None:
        self._columns = columns
        self._right = right
        self._rows: list[tuple[str, ...]] = []

    def add_row(self, *cells: str) -> None:
        """Add a row."""
        self._rows.append(tuple(map(visible, cells)))

    def print(self) -> None:
        """Print it on standard output."""
        widths = [max(map(_width, column)) for column in zip(self._columns, *self._rows, strict=True)]
        if sys.stdout.isatty():
            widths = _narrowed(widths, shutil.get_terminal_size().columns)
        for number, row in enumerate([self._columns, *self._rows]):
            for line in self._lines(row, widths):
                click.echo(click.style(line, bold=True) if number == 0 else line)

    def _lines(self, row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
        wrapped = [_wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for cells in zip_longest(*wrapped, fillvalue=""):
            yield GAP.join(
                _pad(cell, width, column in self._right)
                for cell, width, column in zip(cells, widths, self._columns, strict=True)
            ).rstrip()


def _width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def _narrowed(widths: Sequence[int], total: int) -> list[int]:
    """Take from the widest columns after the first until all fit."""
    narrowed = list(widths)
    while sum(narrowed) + len(GAP) * (len(narrowed) - 1) > total and max(narrowed[1:], default=0) > NARROWEST:
        widest = max(range(1, len(narrowed)), key=narrowed.__getitem__)
        narrowed[widest] -= 1
    return narrowed


def _wrap(text: str, width: int) -> list[str]:
    """The lines of a cell. Words that are too long are broken."""
    lines = [""]
    for word in re.findall(r"\S+\s*|\s+", text):
        if lines[-1] and _width(lines[-1] + word.rstrip()) > width:
            lines.append("")
        for character in word:
            if lines[-1] and not character.isspace() and _width(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def _pad(text: str, width: int, is_right: bool) -> str:
    spaces = " " * (width - _width(text))
    return spaces + text if is_right else text + spaces


Text: TypeAlias = str | Sequence[str] | TextTable


class Output:
    """What `--json` and `--quiet` of every command decide.

    Attributes:
        is_json: Standard output is valid JSON, also after an error: one document, or one line for each item where a
            command streams.
        is_quiet: Print only results, warnings and errors.
    """

    def __init__(self) -> None:
        self.is_json = False
        self.is_quiet = False
        self._messages: list[str] = []
        self._has_document = False
        self._has_lines = False

    def say(self, sentence: str) -> None:
        """Print what the command does, or has done."""
        self._messages.append(sentence)
        if not self.is_quiet:
            echo(sentence, err=True)

    def show(self, result: Any, text: Text = ()) -> None:
        """Print the result of the command, as JSON or as text. After a stream of results there is none.

        Args:
            text: Nothing where `say` has said it.
        """
        self._has_document = True
        if self._has_lines:
            return
        if self.is_json:
            _print_json(result, indent=2)
        elif isinstance(text, TextTable):
            text.print()
        else:
            for line in [text] if isinstance(text, str) else text:
                echo(line)

    def show_line(self, item: Any, text: str) -> None:
        """Print one item of a stream, as a line of JSON or as text."""
        self._has_lines = True
        if self.is_json:
            _print_json(item)
        else:
            echo(text)

    def write(self, blocks: Iterable[bytes]) -> None:
        """Write a stream of results as it is. A line of JSON is written whole or not at all."""
        self._has_lines = True
        sys.stdout.buffer.writelines(_whole_lines(blocks) if self.is_json else blocks)
        sys.stdout.buffer.flush()

    def end_stream(self) -> None:
        """Say that a stream has ended. It may have had no items."""
        self._has_lines = True

    def fail(self, error: click.ClickException) -> None:
        """Print what went wrong. The sentence may quote a file, or be a server's."""
        if self.is_json and not self._has_document:
            _print_json(describe_error(error))  # on one line: it may follow results
        shown = io.StringIO()
        error.show(shown)
        if sentence := shown.getvalue().rstrip("\n"):  # an error that has a log of its own shows nothing
            for line in sentence.split("\n"):
                echo(line, err=True)

    def finish(self) -> None:
        """End the output of a command. What has no result has at least said what it did."""
        if self.is_json and not (self._has_document or self._has_lines):
            _print_json({"messages": self._messages}, indent=2)


def describe_error(error: click.ClickException) -> dict[str, Any]:
    """Return an error as problem details (RFC 9457), with the exit code. A server's problem keeps its members."""
    problem: dict[str, Any] = {"type": "about:blank", "title": _title(error)}
    problem |= getattr(error, "problem", {})
    return problem | {"detail": error.format_message(), "exit_code": error.exit_code}


def current_output() -> Output:
    """Return the output of the command that runs in this thread."""
    context = click.get_current_context(silent=True)
    output: Output = context.meta.setdefault(_KEY, Output()) if context else Output()
    return output


def say(sentence: str) -> None:
    """Print what the command does or has done, on standard error. `--quiet` silences it."""
    current_output().say(sentence)


def warn(sentence: str) -> None:
    """Print on standard error what the user must know, also with `--quiet`."""
    echo(sentence, err=True)


def show(result: Any, text: Text = ()) -> None:
    """Print the result of the command on standard output, as JSON or as text."""
    current_output().show(result, text)


def add_output_options(command: click.Command) -> click.Command:
    """Let a command, and those below it, take `--json` and `--quiet`."""
    if not any(isinstance(parameter, _Switch) for parameter in command.params):
        command.params += [
            _Switch("is_json", ["--json"], help="Print the result as JSON, and an error too."),
            _Switch("is_quiet", ["-q", "--quiet"], help="Print only results, warnings and errors."),
        ]
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            add_output_options(subcommand)
    return command


class _Switch(click.Option):
    """An option that sets an attribute of the output, before other options can fail."""

    def __init__(self, attribute: str, names: list[str], help: str) -> None:
        super().__init__(names, is_flag=True, is_eager=True, expose_value=False, callback=self._set, help=help)
        self._attribute = attribute

    def _set(self, context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            setattr(current_output(), self._attribute, True)


def _title(error: click.ClickException) -> str:
    return "The command was not understood" if isinstance(error, click.UsageError) else "The command failed"


def _print_json(value: Any, indent: int | None = None) -> None:
    """Print JSON in ASCII: a terminal obeys none of it, and no name is too strange for it."""
    click.echo(json.dumps(value, indent=indent, default=_as_json))


def _as_json(value: Any) -> Any:
    if isinstance(value, Answer):
        return value.json
    return value.isoformat() if isinstance(value, date) else str(value)


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        lines, line_break, rest_of_block = block.rpartition(b"\n")
        if line_break:
            yield rest + lines + line_break
            rest = rest_of_block
        else:
            rest += block
    if rest:
        yield rest
