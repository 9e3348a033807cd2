"""`pawsort classify`: from files to a file with their labels."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options
from pawsort.console import Terminal
from pawsort.files.export import check_target, write_results
from pawsort.help import examples
from pawsort.terminal import show
from pawsort.uploads.listed_files import read_list
from pawsort.uploads.progress import ProgressBars, ignored_words, print_skipped
from pawsort.workflows.classify import ClassificationRun, Outcome
from pawsort.workflows.options import JobOptions
from pawsort.workflows.totals import Totals

STDIN = Path("-")


@click.command(
    "classify",
    epilog=examples(
        "pawsort classify photos -o photos.csv",
        "pawsort classify photos holiday.zip --threshold 0.9 --json",
        "pawsort classify --source /srv/photos",
        "find photos -name '*.jpg' -newer last.csv -print0 | pawsort classify -0 - -o new.csv",
    ),
)
@click.argument("paths", nargs=-1, metavar="PATH…", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("-0", "--null", is_flag=True, help="With -: paths end with a zero byte, as `find -print0` writes them.")
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
    null: bool,
    output: Path | None,
    source: str | None,
    bom: bool,
    server: str | None,
    token: str | None,
    **options: Any,
) -> int:
    """Label the pictures in folders, files and archives.

    With - as PATH, read the paths of files from standard input, one a line, as `find` writes them. They are uploaded
    under these paths. Folders among them are not searched.

    Uses the server given with --server, else the instance running on this machine, else starts one until the command
    ends. The exit code is 0 when every image has a result; an error result counts.
    """
    if bool(paths) == (source is not None):
        raise click.UsageError("Give either PATHs, or --source for a folder of the server.")
    export_options = _export_options(output, bom)
    listed = _read_list(paths, null)
    console = Terminal()
    with connect(server, token) as client:
        bars = ProgressBars(console)
        run = ClassificationRun(client.transport, JobOptions(**options), bars)
        try:
            with bars:
                outcome = _run(run, paths, listed, source)
        except KeyboardInterrupt:
            _print_unfinished(console, run.outcome)
            raise
        if not outcome.jobs and not outcome.broken:
            raise ClientError(_nothing_sent(paths, outcome))
        if output is not None and outcome.jobs:
            write_results(client.jobs, outcome.jobs, output, export_options)
    _report(console, outcome, output)
    return 0 if outcome.is_complete else 1


def _report(console: Terminal, outcome: Outcome, output: Path | None) -> None:
    _print_problems(console, outcome)
    totals = Totals.of(outcome.views.values())
    if outcome.jobs:
        console.print(_summary(totals))
        for line in _result_lines(outcome, output):
            console.print(line)
    if outcome.undiscarded:
        console.print("Another job still needs the originals. The server discards them when it has ended.")
    show(_result(outcome, totals, output))


def _read_list(paths: tuple[Path, ...], null: bool) -> list[Path] | None:
    """The paths from standard input; None if they are in the command."""
    if STDIN not in paths:
        if null:
            raise click.UsageError("--null needs - as PATH.")
        return None
    if len(paths) > 1:
        raise click.UsageError("Give - alone as PATH: standard input has all paths.")
    return read_list(sys.stdin.buffer, ends_with_null=null)


def _run(run: ClassificationRun, paths: tuple[Path, ...], listed: list[Path] | None, source: str | None) -> Outcome:
    if source is not None:
        return run.run_source(source)
    return run.run(paths) if listed is None else run.run_list(listed)


def _export_options(output: Path | None, bom: bool) -> dict[str, Any]:
    options = {"bom": True} if bom else {}
    if output is not None:
        check_target(output, options)
    elif bom:
        raise click.UsageError("--bom needs -o FILE.")
    return options


def _nothing_sent(paths: tuple[Path, ...], outcome: Outcome) -> str:
    places = "the list on standard input" if STDIN in paths else ", ".join(map(str, paths))
    if outcome.ignored:
        return f"There are no pictures in {places}. {ignored_words(outcome.ignored)}"
    return f"There are no files in {places}. Give a folder with pictures."


def _summary(totals: Totals) -> str:
    n_neither = totals.n_probably_neither
    words = {"unsure": f"unsure ({n_neither:,} probably neither)"} if n_neither else {}
    shares = [f"{count:,} {words.get(label, label)}" for label, count in totals.by_label.items()]
    rate = totals.images_per_s
    time = f" in {totals.seconds:.1f} s ({rate:,.0f} images/s)" if rate else ""
    return f"{totals.n_images:,} images{time}: {', '.join([*shares, f'{totals.n_failed:,} failed'])}"


def _result(outcome: Outcome, totals: Totals, output: Path | None) -> dict[str, Any]:
    return {
        **asdict(totals),
        "images_per_s": totals.images_per_s,
        "file": None if output is None else str(output),
        "jobs": list(outcome.views.values()),
        "skipped": [{"path": path.path, "reason": path.reason} for path in outcome.skipped],
        "left_out": dict(outcome.ignored),
        "problems": outcome.broken,
        "is_complete": outcome.is_complete,
    }


def _result_lines(outcome: Outcome, output: Path | None) -> list[str]:
    if output is None:
        return [f"Results: pawsort export {job} -o results.csv" for job in outcome.jobs]
    return [f"Results: {'standard output' if str(output) == '-' else output}"]


def _print_problems(console: Terminal, outcome: Outcome) -> None:
    for sentence in outcome.broken:
        console.report(sentence)
    print_skipped(console, outcome.skipped)
    for job, view in outcome.views.items():
        if view.state != "done":
            reason = f": {view.error}" if view.error else "."
            console.report(f"Job {job} has ended as {view.state}{reason}")


def _print_unfinished(console: Terminal, outcome: Outcome) -> None:
    for view in outcome.views.values():
        if view.state not in ("done", "cancelled"):
            console.warn(
                f"Uploaded files are kept in job {view.id}. Its results: pawsort export {view.id} -o results.csv"
            )
