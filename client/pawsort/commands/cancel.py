"""`pawsort cancel`: stop a job; what it has done so far stays."""

from uuid import UUID

import click
from rich.console import Console

from pawsort.connect import connect, server_options


@click.command("cancel")
@click.argument("job", metavar="JOB", type=click.UUID)
@click.option("--keep-best", is_flag=True, help="End a training with its best epoch so far as a version.")
@server_options
def command(job: UUID, keep_best: bool, server: str | None, token: str | None) -> None:
    """Stop JOB, an id that `pawsort jobs` lists. What was classified stays; a training can keep its best epoch."""
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        client.cancel_job(str(job), keep_best)
    if keep_best:
        click.echo("The training ends now; its best epoch becomes a version once it has been judged: `pawsort models`.")
    else:
        click.echo("The job stops. What was done so far stays.")
