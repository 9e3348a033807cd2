"""`pawsort cancel`: stop a job and keep its results so far."""

from uuid import UUID

import click

from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.terminal import say, show


@click.command("cancel", epilog=examples("pawsort cancel JOB", "pawsort cancel JOB --keep-best"))
@click.argument("job", metavar="JOB", type=JOB)
@click.option("--keep-best", is_flag=True, help="End a training with its best epoch so far as a version.")
@server_options
def command(job: UUID, keep_best: bool, server: str | None, token: str | None) -> None:
    """Stop JOB, an id from `pawsort jobs`. Results so far are kept. A training can keep its best epoch."""
    with connect(server, token) as client:
        cancelled = client.jobs.cancel(job, keep_best=keep_best)
    if keep_best:
        say("The training ends. Its best epoch becomes a version after its evaluation: `pawsort models`.")
    else:
        say("The job stops. Its results so far are kept.")
    show(cancelled)
