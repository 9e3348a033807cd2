"""`pawsort promote`: put a model version into use."""

import click

from pawsort.connect import connect, server_options


@click.command("promote")
@click.argument("version", metavar="V", type=click.IntRange(1, 2**31 - 1))
@server_options
def command(version: int, server: str | None, token: str | None) -> None:
    """Put model version V into use; `pawsort models` lists them. Existing jobs keep their version."""
    with connect(server, token) as client:
        client.promote(version)
    click.echo(f"Version {version} is in use for new jobs. `pawsort rollback` restores the one before.")
