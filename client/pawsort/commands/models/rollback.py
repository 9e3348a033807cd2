"""`pawsort rollback`: go one step back in the history of deployments."""

import click

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.terminal import say, show


@click.command("rollback", epilog=examples("pawsort rollback", "pawsort rollback --json"))
@server_options
def command(server: str | None, token: str | None) -> None:
    """Restore the model version that was in use before. Repeated, it goes further back."""
    with connect(server, token) as client:
        in_use = next((model.version for model in client.models.list() if model.in_use), None)
        if in_use is None:
            raise ClientError("No model version is in use. `pawsort migrate` puts the included one into use.")
        deployment = client.models.roll_back(in_use)
    say(f"Version {deployment.version} is in use again for new jobs, instead of {in_use}.")
    show(deployment)
