"""docs/reference/commands.md, from what click knows of each command."""

import inspect
import re
from collections.abc import Iterator

import click

from pawsort.cli import COMMANDS, cli
from pawsort.help import examples_of
from tests.support.reference.markdown import one_line, table

HEAD = """# Commands

`make run` installs the command as `.venv/bin/pawsort`. [From the shell](../command-line.md) shows how the commands work
together. `make reference` writes this page from the commands; `pawsort COMMAND --help` shows the same.

Every command takes `--json` ([JSON on standard output](../command-line.md#results-as-json)) and `-q`, `--quiet` (only
results, warnings and errors). JOB is the id of a job, from `pawsort jobs`.

"""
# What the texts below say for all commands.
COMMON_OPTIONS = {"--server", "--token", "--json", "--quiet"}
SERVER = """## Commands for any server

They take `--server URL --token TOKEN`, or the variables `PAWSORT_SERVER` and `PAWSORT_TOKEN`. Without a server they
use the instance that runs on this machine, or start one until the command ends.
"""
LOCAL = """## Commands for the installation on this machine

They are listed only where the server is installed.
"""


def render() -> str:
    """The page."""
    context = click.Context(cli, info_name="pawsort")
    names = cli.list_commands(context)
    installed = [name for name in names if name not in COMMANDS]
    groups = ((SERVER, COMMANDS), (LOCAL, installed))
    parts = [part for head, some in groups for part in (head, *(_command(context, name) for name in some))]
    return HEAD + "\n".join(parts)


def _command(parent: click.Context, name: str) -> str:
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command is not None
    context = click.Context(command, parent=parent, info_name=name)
    return "\n".join(_parts(command, context))


def _parts(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.command_path}\n"
    yield f"    {context.command_path} {' '.join(command.collect_usage_pieces(context))}\n"
    yield from _paragraphs(command.help or "")
    if rows := list(_options(command, context)):
        yield table(("Option", "Meaning"), rows) + "\n"
    if examples := examples_of(command):
        yield "\n".join(["Examples:\n", *(f"    {example}" for example in examples)]) + "\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield _command(context, name)


def _paragraphs(text: str) -> Iterator[str]:
    """The help, with blocks that click leaves as they are (after `\\b`) as code."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        first, _, rest = paragraph.partition("\n")
        if first.strip() == "\b":
            yield "\n".join(f"    {line}" for line in rest.splitlines()) + "\n"
        else:
            yield one_line(paragraph) + "\n"


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden and not COMMON_OPTIONS & {*parameter.opts}:
            names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
            value = "" if parameter.is_flag or parameter.count else f" `{parameter.make_metavar(context)}`"
            yield names + value, parameter.help or ""
