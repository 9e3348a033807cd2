"""`pawsort promote`: for the jobs that begin from now on."""

import click
from rich.console import Console

from pawsort.connect import connect, server_options


@click.command("promote")
@click.argument("version", metavar="V", type=click.IntRange(1, 2**31 - 1))
@server_options
def command(version: int, server: str | None, token: str | None) -> None:
    """Put model version V into use; `pawsort models` lists them. Jobs that exist keep the version they began with."""
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        client.promote(version)
    click.echo(f"Version {version} is in use from the next job on. `pawsort rollback` puts back the one before.")
