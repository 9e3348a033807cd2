"""`pawsort export`: the results of a job, in a file."""

from pathlib import Path

import click
from rich.console import Console

from client.connecting import connect, server_options
from client.exporting import check_target, write_results


@click.command("export")
@click.argument("job", metavar="JOB", type=click.UUID)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="F",
    help="Its ending says what it becomes: .csv, .jsonl, .parquet, .zip; - is CSV on standard output.",
)
@server_options
def command(job: str, output: Path, server: str | None, token: str | None) -> None:
    """Write the results of a job to a file."""
    check_target(output)
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        write_results(client, [str(job)], output)
