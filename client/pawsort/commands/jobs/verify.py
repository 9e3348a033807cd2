"""`pawsort verify`: classify some pictures of an exported table again, and compare."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from pawsort.api.errors import ClientError
from pawsort.client.pawsort import Pawsort
from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.console import Terminal, count_parts, first_lines
from pawsort.files.tables import Row
from pawsort.files.verification import Comparison, Recipe, collect, compare, draw_sample, find_recipe
from pawsort.help import examples
from pawsort.schemas import Result
from pawsort.terminal import show
from pawsort.uploads.progress import ProgressBars
from pawsort.workflows.classify import ClassificationRun
from pawsort.workflows.options import JobOptions

TOLERANCE = 0.01


@click.command(
    "verify",
    epilog=examples("pawsort verify results.parquet", "pawsort verify results.csv photos --job JOB"),
)
@click.argument("table", metavar="TABLE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument(
    "folder", metavar="[FOLDER]", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--sample", default=100, show_default=True, metavar="N", type=click.IntRange(1, 10_000))
@click.option(
    "--seed", default=0, show_default=True, help="Of the random sample: the same one draws the same pictures."
)
@click.option(
    "--tolerance",
    default=TOLERANCE,
    show_default=True,
    metavar="P",
    type=click.FloatRange(0, 1),
    help="How far a probability may be from the one in the table.",
)
@click.option("--job", metavar="JOB", type=JOB, help="The job of a table that does not name it: .csv or .jsonl.")
@server_options
def command(
    table: Path,
    folder: Path | None,
    sample: int,
    seed: int,
    tolerance: float,
    job: UUID | None,
    server: str | None,
    token: str | None,
) -> int:
    """Compute some results of an exported table again, with the model version that it names, and compare.

    The pictures come from FOLDER, where they are found by content, or else from the server. They are classified in a
    job that is deleted afterwards. The exit code is 1 when a result differs, or no picture was found.
    """
    console = Terminal()
    rows = draw_sample(table, sample, seed)
    with connect(server, token) as client:
        recipe = find_recipe(client, table, job)
        computed = _classify_again(client, rows, folder, recipe, ProgressBars(console), table.name)
    comparison = compare(rows, computed, tolerance)
    is_same = comparison.n_compared > 0 and not comparison.differences
    differences = [f"{one.path}: {one.recorded} in the table, {one.computed} now" for one in comparison.differences]
    for line in first_lines(differences):
        console.report(line)
    console.print(_summary(comparison, rows, recipe, tolerance))
    show(_outcome(comparison, rows, recipe, tolerance) | {"is_same": is_same})
    return 0 if is_same else 1


def _classify_again(
    client: Pawsort, rows: list[Row], folder: Path | None, recipe: Recipe, bars: ProgressBars, name: str
) -> dict[str, Result]:
    """The new results by SHA-256."""
    with tempfile.TemporaryDirectory(prefix="pawsort-verify-") as temporary:
        target = Path(temporary)
        if not collect(client, rows, folder, target):
            where = folder or "the server, which may have deleted or discarded them"
            raise ClientError(f"None of {len(rows):,} pictures of the sample is in {where}. Give their folder.")
        options = JobOptions(str(recipe.version), recipe.threshold, f"Verification of {name}")
        run = ClassificationRun(client.transport, options, bars)
        try:
            with bars:
                outcome = run.run([target])
            return {result.sha256: result for job in outcome.jobs for result in client.jobs.results(job)}
        finally:
            for created in run.outcome.jobs:
                client.jobs.delete(created)


def _outcome(comparison: Comparison, rows: list[Row], recipe: Recipe, tolerance: float) -> dict[str, Any]:
    return {
        "version": recipe.version,
        "threshold": recipe.threshold,
        "tolerance": tolerance,
        "n_sample": len(rows),
        "n_compared": comparison.n_compared,
        "n_not_found": len(rows) - comparison.n_compared,
        "n_other_label": comparison.n_other_label,
        "largest_difference": comparison.largest,
        "differences": [asdict(one) for one in comparison.differences],
    }


def _summary(comparison: Comparison, rows: list[Row], recipe: Recipe, tolerance: float) -> str:
    n, n_missing = comparison.n_compared, len(rows) - comparison.n_compared
    parts = [f"{n - len(comparison.differences):,} of {n:,} results are the same with version {recipe.version}"]
    parts.append(f"probabilities differ by at most {comparison.largest:.6f} (tolerance {tolerance:g})")
    others = {
        "have another label within the tolerance": comparison.n_other_label,
        "pictures were not found": n_missing,
    }
    return ", ".join([*parts, *count_parts(others)])
