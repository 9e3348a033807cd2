"""`pawsort classify`: from files to a file with their labels."""

import time
from pathlib import Path

import click
from rich.console import Console

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options
from pawsort.files.export import check_target, write_results
from pawsort.terminal import Terminal
from pawsort.uploads.progress import ProgressBars, ignored_words, print_skipped
from pawsort.workflows.classify import Classification, JobOptions, Outcome


@click.command("classify")
@click.argument("paths", nargs=-1, metavar="PATH…", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="File for the results: .csv or .jsonl; - for standard output.",
)
@click.option(
    "--source",
    metavar="S",
    help="Instead of PATHs: a folder of the server, or a bucket prefix (s3://…), that its operator allows to be read.",
)
@click.option("--bom", is_flag=True, help="For .csv: begin with a byte order mark, by which Excel knows UTF-8.")
@click.option("--model", metavar="M", help="A version's number, or a network's name for its newest version.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), metavar="T", help="Below this confidence an image is shown as unsure."
)
@click.option("--discard-originals", is_flag=True, help="Remove the pictures from the server once they are classified.")
@click.option("--name", metavar="N", help="Name of the job. [default: the folder's name]")
@click.option(
    "--everything", is_flag=True, help="Send what systems and tools leave behind as well, such as recycle bins."
)
@click.option("--names", metavar="ENCODING", help="Encoding of names in archives, such as cp932. [default: guessed]")
@server_options
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    source: str | None,
    bom: bool,
    model: str | None,
    threshold: float | None,
    discard_originals: bool,
    name: str | None,
    names: str | None,
    everything: bool,
    server: str | None,
    token: str | None,
) -> int:
    """Label the pictures in folders, files and archives.

    Uses the server given with --server, else the instance running on this machine, else starts one until the command
    ends. The exit code is 0 when every image has a result; an error result counts.
    """
    if bool(paths) == (source is not None):
        raise click.UsageError("Give either PATHs, or --source for a folder of the server.")
    options = _export_options(output, bom)
    console = Terminal()
    with connect(server, token) as client:
        bars = ProgressBars(console)
        run = Classification(client, JobOptions(model, threshold, name, discard_originals, names, everything), bars)
        started = time.monotonic()
        try:
            with bars.progress:
                outcome = run.run(paths) if source is None else run.run_source(source)
        except KeyboardInterrupt:
            _print_unfinished(console, run.outcome)
            raise
        seconds = time.monotonic() - started
        if not outcome.jobs and not outcome.broken:
            raise ClientError(_nothing_sent(paths, outcome))
        if output is not None and outcome.jobs:
            write_results(client, outcome.jobs, output, options)
    _print_problems(console, outcome)
    if outcome.jobs:
        console.print(_summary(outcome, seconds))
        for line in _result_lines(outcome, output):
            console.print(line)
    if outcome.undiscarded:
        console.print("Another job still needs the originals. The server discards them when it has ended.")
    return 0 if outcome.is_complete else 1


def _export_options(output: Path | None, bom: bool) -> dict[str, str]:
    options = {"bom": "1"} if bom else {}
    if output is not None:
        check_target(output, options)
    elif bom:
        raise click.UsageError("--bom needs -o FILE.")
    return options


def _nothing_sent(paths: tuple[Path, ...], outcome: Outcome) -> str:
    places = ", ".join(map(str, paths))
    if outcome.ignored:
        return f"There are no pictures in {places}. {ignored_words(outcome.ignored)}"
    return f"There are no files in {places}. Give a folder with pictures."


def _summary(outcome: Outcome, seconds: float) -> str:
    counts = [view["counts"] for view in outcome.views.values()]
    labels: dict[str, int] = {}
    for label, count in ((label, n) for one in counts for label, n in one["by_label"].items()):
        labels[label] = labels.get(label, 0) + count
    n_images = sum(one["done"] + one["failed"] for one in counts)
    failed = sum(one["failed"] for one in counts)
    n_neither = sum(one.get("probably_neither", 0) for one in counts)
    words = {"unsure": f"unsure ({n_neither:,} probably neither)"} if n_neither else {}
    shares = [*(f"{count:,} {words.get(label, label)}" for label, count in labels.items()), f"{failed:,} failed"]
    rate = n_images / seconds if seconds else 0.0
    return f"{n_images:,} images in {seconds:.1f} s ({rate:,.0f} images/s): {', '.join(shares)}"


def _result_lines(outcome: Outcome, output: Path | None) -> list[str]:
    if output is None:
        return [f"Results: pawsort export {job} -o results.csv" for job in outcome.jobs]
    return [f"Results: {'standard output' if str(output) == '-' else output}"]


def _print_problems(console: Console, outcome: Outcome) -> None:
    for sentence in outcome.broken:
        console.print(sentence, style="red")
    print_skipped(console, outcome.skipped)
    for job, view in outcome.views.items():
        if view["state"] != "done":
            reason = f": {view['error']}" if view["error"] else "."
            console.print(f"Job {job} has ended as {view['state']}{reason}", style="red")


def _print_unfinished(console: Console, outcome: Outcome) -> None:
    for view in outcome.views.values():
        if view["state"] not in ("done", "cancelled"):
            job = view["id"]
            console.print(f"Uploaded files are kept in job {job}. Its results: pawsort export {job} -o results.csv")
