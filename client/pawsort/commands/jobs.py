"""`pawsort jobs`: list the jobs and their progress."""

import itertools

import click

from pawsort.api.answers import Job
from pawsort.connect import connect, server_options
from pawsort.terminal import TextTable, echo


def _state(job: Job) -> str:
    return f"{job['state']}, paused" if job.get("paused") else job["state"]


@click.command("jobs")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), metavar="N", help="How many to list.")
@server_options
def command(limit: int, server: str | None, token: str | None) -> None:
    """List the jobs, newest first."""
    with connect(server, token) as client:
        jobs = list(itertools.islice(client.list_jobs(), limit))
    if not jobs:
        echo("There are no jobs yet. `pawsort classify FOLDER` creates one.")
        return
    table = TextTable()
    for column, justify in (("job", "left"), ("name", "left"), ("state", "left")):
        table.add_column(column, justify=justify, no_wrap=column == "job")  # type: ignore[arg-type]
    for column in ("images", "cat", "dog", "unsure", "failed"):
        table.add_column(column, justify="right")
    for job in jobs:
        counts = job["counts"]
        labels = [f"{counts['by_label'].get(label, 0):,}" for label in ("cat", "dog", "unsure")]
        table.add_row(job["id"], job["name"], _state(job), f"{counts['total']:,}", *labels, f"{counts['failed']:,}")
    table.print()
