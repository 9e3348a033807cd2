"""`pawsort sort`: the pictures of a job on this disk, in folders by label."""

from pathlib import Path

import click
from rich.console import Console

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options
from pawsort.files.place_file import Way
from pawsort.files.sort_by_label import By, Sorted, Sorter, read_pictures

SHOWN = 10
WORDS = {Way.LINK: "as hard links", Way.COPY: "copied", Way.MOVE: "moved"}


@click.command("sort")
@click.argument("job", metavar="JOB", type=click.UUID)
@click.option(
    "--from",
    "source",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that was sent, or one that holds its pictures now: they are found by path and by content.",
)
@click.option(
    "--to", "target", required=True, metavar="FOLDER", type=click.Path(path_type=Path), help="Made where it is missing."
)
@click.option("--copy", "copies", is_flag=True, help="Copy instead of making hard links.")
@click.option("--move", "moves", is_flag=True, help="Move instead of making hard links.")
@click.option("--by", type=click.Choice(list(By)), default=By.FINAL, show_default=True, help="Whose label decides.")
@click.option("--flat", is_flag=True, help="No folders below those of the labels.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
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

    Nothing is sent, and nothing that is there is overwritten. Repeated, it changes nothing. The exit code is 0 when
    every picture that has a label is in its place.
    """
    if copies and moves:
        raise click.UsageError("--copy and --move: expected one of them, or neither for hard links; got both.")
    if target.exists() and not target.is_dir():
        raise ClientError(f"--to {target}: expected a folder; this is a file.")
    if target.exists() and target.samefile(source):
        raise ClientError(f"--to {target}: expected another folder than --from. Name one that is not there yet.")
    way = Way.COPY if copies else Way.MOVE if moves else Way.LINK
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with connect(server, token, console.print) as client:
        state = client.get_job(str(job))["state"]
        with client.open_export(str(job), "jsonl") as blocks:
            pictures = list(read_pictures(blocks, By(by)))
    outcome = Sorter(source, target, way, is_flat=flat, is_dry=dry_run).sort(pictures)
    _tell_problems(console, outcome, source)
    if state != "done":
        console.print(f"The job is {state}: what it has not classified yet is left out.", style="yellow", markup=False)
    console.print(_summary(outcome, target, way, dry_run), markup=False)
    return 0 if outcome.is_whole else 1


def _summary(outcome: Sorted, target: Path, way: Way, is_dry: bool) -> str:
    by_label = ", ".join(f"{n:,} {label}" for label, n in sorted(outcome.placed.items()))
    would = "would be " if is_dry else ""
    said = f"{outcome.placed.total():,} files {would}sorted into {target} ({WORDS[way]})"
    said += f": {by_label}" if by_label else ""
    said += f"; {outcome.n_there:,} were there already" if outcome.n_there else ""
    said += f"; {len(outcome.elsewhere):,} lie in other folders of it" if outcome.elsewhere else ""
    said += f"; {len(outcome.missing):,} not found" if outcome.missing else ""
    said += f"; {outcome.n_without_label:,} have no label and stay where they are" if outcome.n_without_label else ""
    return said


def _tell_problems(console: Console, outcome: Sorted, source: Path) -> None:
    for path in outcome.missing:  # all of them: somebody has to look for each
        console.print(f"Not found below {source}, or changed: {path}", style="red", markup=False)
    for path, place in outcome.elsewhere[:SHOWN]:
        console.print(f"{path} was left where it lies: {place}", style="yellow", markup=False)
    if len(outcome.elsewhere) > SHOWN:
        console.print(f"… and {len(outcome.elsewhere) - SHOWN} more.", style="yellow", markup=False)
    if outcome.elsewhere:
        console.print(
            "They were moved by hand, or sorted before their labels changed. `pawsort correct` reads folders as"
            " corrections; to sort anew, name a --to that is not there yet.",
            markup=False,
        )
