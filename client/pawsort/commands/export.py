"""`pawsort export`: the results of a job, in a file."""

from pathlib import Path

import click
from rich.console import Console

from pawsort.connect import connect, server_options
from pawsort.files.export import check_target, write_results


@click.command("export")
@click.argument("job", metavar="JOB", type=click.UUID)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="F",
    help="Its ending says what it becomes: .csv, .jsonl, .parquet, .zip (the pictures) or .html (a report); - is CSV on"
    " standard output.",
)
@click.option(
    "--by",
    type=click.Choice(["final", "model", "person"]),
    help="In a .zip or .html: whose label decides; final unless given.",
)
@click.option("--flat", is_flag=True, help="In a zip: no folders below those of the labels.")
@server_options
def command(job: str, output: Path, by: str | None, flat: bool, server: str | None, token: str | None) -> None:
    """Write the results of a job to a file."""
    check_target(output)
    wanted = ({"by": by} if by else {}) | ({"tree": "flat"} if flat else {})
    with connect(server, token, Console(stderr=True, highlight=False).print) as client:
        write_results(client, [str(job)], output, wanted)
