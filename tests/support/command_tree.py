"""All commands of `pawsort`, for tests that look at each one."""

from collections.abc import Iterator

import click

from pawsort.cli import cli


def iterate_commands() -> Iterator[tuple[str, click.Command]]:
    """Iterate over the groups and commands below `pawsort`, each with what is typed for it: `jobs show`."""
    return _below("", cli)


def _below(path: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        full = f"{path} {name}".strip()
        yield full, command
        if isinstance(command, click.Group):
            yield from _below(full, command)
