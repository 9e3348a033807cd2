"""`pawsort promote`: put a model version into use."""

import sys

import click

from pawsort.completion import VERSION
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.terminal import say, show, warn


@click.command("promote", epilog=examples("pawsort promote 3", "pawsort promote 3 --yes --quiet"))
@click.argument("version", metavar="V", type=VERSION)
@click.option("--yes", is_flag=True, help="Do not ask if the version is worse, or was compared on few pictures.")
@server_options
def command(version: int, yes: bool, server: str | None, token: str | None) -> None:
    """Put model version V into use; `pawsort models` lists them. Existing jobs keep their version."""
    with connect(server, token) as client:
        warning = client.models.check_promotion(version).warning
        if warning is not None:
            warn(warning)
            if not yes and sys.stdin.isatty():
                click.confirm(f"Use version {version} anyway?", abort=True, err=True)
        deployment = client.models.promote(version)
    say(f"Version {version} is in use for new jobs. `pawsort rollback` restores the one before.")
    show(deployment)
