"""`pawsort sort`: sort the pictures of a job on this disk into folders by label."""

from pathlib import Path
from typing import Any

import click

from pawsort.api.errors import ClientError
from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.console import Terminal, count_parts, first_lines
from pawsort.files.place_file import PlacementMode
from pawsort.files.sort_by_label import LabelSource, Sorter, SortSummary, read_pictures
from pawsort.files.sort_manifest import append_manifest, read_noted
from pawsort.help import examples
from pawsort.terminal import show

WORDS = {PlacementMode.LINK: "as hard links", PlacementMode.COPY: "copied", PlacementMode.MOVE: "moved"}


@click.command(
    "sort",
    epilog=examples(
        "pawsort sort JOB --from photos --to sorted --dry-run", "pawsort sort JOB --from photos --to sorted --copy"
    ),
)
@click.argument("job", metavar="JOB", type=JOB)
@click.option(
    "--from",
    "source",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The uploaded folder, or one that contains its pictures now. They are found by path and by content.",
)
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Created if missing.",
)
@click.option("--copy", "copies", is_flag=True, help="Copy instead of making hard links.")
@click.option("--move", "moves", is_flag=True, help="Move instead of making hard links.")
@click.option(
    "--by",
    type=click.Choice(list(LabelSource)),
    default=LabelSource.FINAL,
    show_default=True,
    help="Whose labels to use.",
)
@click.option("--flat", is_flag=True, help="No folders below those of the labels.")
@click.option("--dry-run", is_flag=True, help="Do nothing, and show what would be done.")
@server_options
def command(
    job: str,
    source: Path,
    target: Path,
    copies: bool,
    moves: bool,
    by: str,
    flat: bool,
    dry_run: bool,
    server: str | None,
    token: str | None,
) -> int:
    """Sort the pictures of a job on this disk into folders by label (cat, dog, unsure, neither).

    Nothing is uploaded and nothing is overwritten. Repeated, it changes nothing. The exit code is 0 when every picture
    with a label is in its place.
    """
    if copies and moves:
        raise click.UsageError("Give either --copy or --move, or neither for hard links.")
    if target.exists() and not target.is_dir():
        raise ClientError(f"--to {target}: expected a folder; this is a file.")
    if target.exists() and target.samefile(source):
        raise ClientError(f"--to {target}: expected another folder than --from. Give a new one.")
    mode = PlacementMode.COPY if copies else PlacementMode.MOVE if moves else PlacementMode.LINK
    console = Terminal()
    with connect(server, token) as client:
        state = client.jobs.get(job).state
        with client.jobs.open_export(job, "jsonl") as export:
            pictures = list(read_pictures(export.blocks, LabelSource(by)))
            exported_at = export.began_at
    noted = read_noted(target)
    summary = Sorter(source, target, mode, is_flat=flat, is_dry=dry_run).sort(pictures)
    if not dry_run:
        places = ((sha256, folder.partition("/")[0]) for sha256, folder in summary.in_place)
        new = [(sha256, label) for sha256, label in places if noted.get(sha256) != label]
        append_manifest(target, str(job), exported_at, by, new)
    _print_problems(console, summary, source)
    if state != "done":
        console.warn(f"The job is {state}: pictures not classified yet are left out.")
    console.print(_describe(summary, target, mode, dry_run))
    show(_result(summary))
    return 0 if summary.is_complete else 1


def _result(summary: SortSummary) -> dict[str, Any]:
    return {
        "placed": dict(summary.placed),
        "n_already_placed": summary.n_already_placed,
        "n_without_label": summary.n_without_label,
        "elsewhere": [{"path": str(path), "file": str(file)} for path, file in summary.elsewhere],
        "missing": [str(path) for path in summary.missing],
        "renamed": [{"path": str(path), "name": str(name)} for path, name in summary.renamed],
    }


def _describe(summary: SortSummary, target: Path, mode: PlacementMode, is_dry: bool) -> str:
    by_label = ", ".join(f"{n:,} {label}" for label, n in sorted(summary.placed.items()))
    would = "would be " if is_dry else ""
    placed = f"{summary.placed.total():,} files {would}sorted into {target} ({WORDS[mode]})"
    others = {
        "were there already": summary.n_already_placed,
        "are in other folders of it": len(summary.elsewhere),
        "not found": len(summary.missing),
        "have no label and were not sorted": summary.n_without_label,
    }
    return "; ".join([f"{placed}: {by_label}" if by_label else placed, *count_parts(others)])


def _print_problems(console: Terminal, summary: SortSummary, source: Path) -> None:
    for path in summary.missing:  # all of them: the user has to look for each one
        console.report(f"Not found below {source}, or changed: {path}")
    for line in first_lines([f"{path} was left where it is: {file}" for path, file in summary.elsewhere]):
        console.warn(line)
    if summary.elsewhere:
        console.print(
            "They were moved by hand, or sorted before their labels changed. `pawsort correct` imports folders as"
            " corrections. To sort again, give a new folder as --to."
        )
    renamed = [f"{path} is named {name}, because Windows does not accept its name." for path, name in summary.renamed]
    for line in first_lines(renamed):
        console.print(line)
