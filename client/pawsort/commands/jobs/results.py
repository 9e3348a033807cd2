"""`pawsort results`: list the results of a job while they are read from the server."""

import itertools
from typing import Any
from uuid import UUID

import click

from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.help import examples
from pawsort.schemas import Result
from pawsort.terminal import current_output


@click.command(
    "results",
    epilog=examples(
        "pawsort results JOB --label unsure",
        "pawsort results JOB --error any",
        "pawsort results JOB --json | jq -r 'select(.confidence > 0.99).path'",
    ),
)
@click.argument("job", metavar="JOB", type=JOB)
@click.option("--label", type=click.Choice(["cat", "dog", "unsure"]), help="Only pictures that are shown with it.")
@click.option("--error", "error_code", metavar="CODE", help="Only pictures with this error; any: with an error.")
@click.option("--path", metavar="TEXT", help="Only paths that contain this text.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), metavar="C", help="Only at this confidence or above.")
@click.option("--max-confidence", type=click.FloatRange(0, 1), metavar="C", help="Only at this confidence or below.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="How many to list. [default: all]")
@server_options
def command(job: UUID, limit: int | None, server: str | None, token: str | None, **filters: Any) -> None:
    """List the results of JOB in the order of upload: label or error, confidence, path.

    With --json each line is one result, so a program can read them while they come. `pawsort export` writes a file.
    """
    output = current_output()
    with connect(server, token) as client:
        for result in itertools.islice(client.jobs.results(job, **filters), limit):
            output.show_line(result, _line(result))
    output.end_stream()


def _line(result: Result) -> str:
    word = result.human_label or result.label or result.error_code
    confidence = "      " if result.confidence is None else f"{result.confidence:.4f}"
    return f"{word:<8} {confidence}  {result.path}"
