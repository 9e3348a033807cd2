"""`pawsort rollback`: one step back in the history of deployments."""

import click
from rich.console import Console

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options


@click.command("rollback")
@server_options
def command(server: str | None, token: str | None) -> None:
    """Put back the version that was in use before the present one. Repeated, it walks further back."""
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        in_use = next((version["version"] for version in client.list_models() if version["in_use"]), None)
        if in_use is None:
            raise ClientError("No model version is in use. `pawsort migrate` puts the one that ships into use.")
        deployment = client.roll_back(in_use)
    click.echo(f"Version {deployment['version']} is in use again, instead of {in_use}, from the next job on.")
