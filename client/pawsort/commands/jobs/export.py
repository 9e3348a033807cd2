"""`pawsort export`: write the results of a job to a file."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click

from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.files.export import check_target, write_results
from pawsort.help import examples
from pawsort.terminal import show


@click.command(
    "export",
    epilog=examples(
        "pawsort export JOB -o results.csv",
        "pawsort export JOB -o sorted.zip --by person",
        "pawsort export JOB -o - --json | head",
    ),
)
@click.argument("job", metavar="JOB", type=JOB)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="F",
    help="The format follows from the ending: .csv, .xlsx (Excel), .jsonl, .parquet, .zip (the pictures) or .html (a"
    " report); - is CSV on standard output, and JSON Lines with --json.",
)
@click.option(
    "--by",
    type=click.Choice(["final", "model", "person"]),
    help="For .zip and .html: whose labels to use. final: people's, otherwise the model's. [default: final]",
)
@click.option("--flat", is_flag=True, help="For .zip: no folders below those of the labels.")
@click.option("--bom", is_flag=True, help="For .csv: begin with a byte order mark, by which Excel knows UTF-8.")
@server_options
def command(
    job: UUID, output: Path, by: str | None, flat: bool, bom: bool, server: str | None, token: str | None
) -> None:
    """Write the results of a job to a file."""
    given: dict[str, Any] = {"by": by, "tree": "flat" if flat else None, "bom": bom or None}
    options = {name: value for name, value in given.items() if value is not None}
    check_target(output, options)
    with connect(server, token) as client:
        write_results(client.jobs, [str(job)], output, options)
    show({"job": str(job), "file": str(output)})
