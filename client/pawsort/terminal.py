"""What commands print: results on standard output, everything else on standard error.

Names, and sentences of a server, may hold characters that a terminal obeys, or that nobody sees. They are written out.
Files that a command writes have names as they are.
"""

import io
import json
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, TypeAlias

import click

from pawsort.answer import Answer

# Control characters, invisible ones and those that turn the direction of text, halves of characters, line breaks.
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
_KEY = "pawsort.output"
ANY_WIDTH = 10_000  # without a terminal there is no width to fit into, and nothing is cut off


def visible(text: str) -> str:
    r"""The text with every character written out that is not shown as itself: an escape character becomes `\x1b`."""
    return "".join(_written_out(one) if unicodedata.category(one) in _HIDDEN else one for one in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def echo(text: str, err: bool = False) -> None:
    """Print a line."""
    click.echo(visible(text), err=err)


class TextTable:
    """A table without lines between its cells. The first column is never wrapped.

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
        self._rows.append(cells)

    def print(self) -> None:
        """Print it on standard output."""
        from rich.console import Console  # slow to import, and few commands print a table
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(self._columns):
            table.add_column(column, justify="right" if column in self._right else "left", no_wrap=number == 0)
        for row in self._rows:
            table.add_row(*map(visible, row))
        width = None if sys.stdout.isatty() else ANY_WIDTH
        Console(highlight=False, markup=False, width=width).print(table)


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
