"""The man pages of all commands, from the same source as `--help`."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

from pawsort.help import examples_of


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to know about one command.

    Attributes:
        name: As it is typed: `pawsort jobs show`.
        usage: What follows the name.
        paragraphs: Its description.
        options: How each one is written, and its help.
        examples: Commands that can be typed.
        subcommands: Their names, and a line of help.
    """

    name: str
    usage: str
    paragraphs: list[str]
    options: list[tuple[str, str]]
    examples: list[str]
    subcommands: list[tuple[str, str]]

    @property
    def summary(self) -> str:
        """The first sentence of its description."""
        return self.paragraphs[0].partition(". ")[0].rstrip(".") if self.paragraphs else self.name


def iterate_pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[Page]:
    """Iterate over the pages of a command and of all commands below it."""
    context = click.Context(command, parent=parent, info_name=name)
    subcommands = _subcommands(command, context)
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    yield Page(
        name=context.command_path,
        usage=" ".join(command.collect_usage_pieces(context)),
        paragraphs=[" ".join(text.split()) for text in inspect.cleandoc(command.help or "").split("\n\n") if text],
        options=[record for record in records if record and record[1]],
        examples=examples_of(command),
        subcommands=[(name, one.get_short_help_str(200)) for name, one in subcommands],
    )
    for subname, one in subcommands:
        yield from iterate_pages(one, subname, context)


def _subcommands(command: click.Command, context: click.Context) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return []
    named = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [(name, one) for name, one in named if one is not None and not one.hidden]


def file_name(page: Page) -> str:
    """Return the name of its man page's file."""
    return f"{page.name.replace(' ', '-')}.1"


def to_man(page: Page, version: str) -> str:
    """Return a page in the format of man."""
    title = page.name.replace(" ", "-")
    lines = [f'.TH "{title.upper()}" "1" "" "Pawsort {_escape(version)}" "Pawsort"']
    lines += [".SH NAME", f"{_escape(title)} \\- {_escape(page.summary)}"]
    lines += [".SH SYNOPSIS", f".B {_escape(page.name)}", _escape(page.usage)]
    lines += [".SH DESCRIPTION", "\n.PP\n".join(map(_escape, page.paragraphs))]
    if page.options:
        lines += [".SH OPTIONS", *(_man_entry(*option) for option in page.options)]
    if page.subcommands:
        lines += [".SH COMMANDS", *(_man_entry(f"{page.name} {name}", text) for name, text in page.subcommands)]
    if page.examples:
        lines += [".SH EXAMPLES", ".nf", *map(_escape, page.examples), ".fi"]
    return "\n".join(lines) + "\n"


def _man_entry(name: str, text: str) -> str:
    return f".TP\n.B {_escape(name)}\n{_escape(text)}"


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
