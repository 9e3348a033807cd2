"""`pawsort correct`: folders that were rearranged in a file manager become labels."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pawsort.api.errors import ClientError
from pawsort.connect import connect, server_options
from pawsort.files.corrections import list_files
from pawsort.sending.sources import Skipped, is_archive
from pawsort.sending.upload import new_id

SHOWN = 10


@click.command("correct")
@click.argument("job", metavar="JOB", type=click.UUID)
@click.argument("folder", metavar="FOLDER", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--undo", metavar="BATCH", type=click.UUID, help="Take back what an earlier call wrote; it named its id.")
@server_options
def command(job: str, folder: Path | None, undo: str | None, server: str | None, token: str | None) -> int:
    """Read a sorted folder (or zip) that was rearranged by hand as corrections.

    Pictures are known by their content, so they may have other names and places now; the nearest folder named after a
    class or `neither` is the label. Of a folder only hashes and paths are sent. The exit code is 1 when a picture lies
    in folders of two classes, or a file cannot be read.
    """
    if (folder is None) == (undo is None):
        raise click.UsageError("expected either FOLDER or --undo BATCH.")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    skipped: list[Skipped] = []
    with connect(server, token, console.print) as client:
        if folder is None:
            undone = client.undo_batch(str(undo), new_id())
            console.print(f"{undone['n_labels']:,} labels taken back.")
            return 0
        if is_archive(folder):
            with folder.open("rb") as archive:
                found = client.correct_by_archive(str(job), new_id(), archive)
        elif folder.is_dir():
            found = client.correct_by_list(str(job), new_id(), b"".join(list_files(folder, skipped)))
        else:
            raise ClientError(f"{folder}: expected a folder, a zip or a tar; this is neither.")
    _tell_problems(console, found, skipped)
    console.print(_summary(found), markup=False)
    if found["batch"]:
        console.print(f"Take it back: pawsort correct {job} --undo {found['batch']}", markup=False)
    return 1 if found["n_ambiguous"] or any(one.lost for one in skipped) else 0


def _summary(found: dict[str, Any]) -> str:
    said = f"{found['n_corrected']:,} corrected, {found['n_confirmed']:,} as shown already"
    said += f", {found['n_silent']:,} in folders that say nothing" if found["n_silent"] else ""
    said += f", {found['n_unknown']:,} not of this job" if found["n_unknown"] else ""
    said += f", {found['n_ambiguous']:,} in folders of two classes" if found["n_ambiguous"] else ""
    return said


def _tell_problems(console: Console, found: dict[str, Any], skipped: list[Skipped]) -> None:
    for one in skipped[:SHOWN]:
        console.print(f"Skipped {one.path}: {one.reason}", style="yellow", markup=False)
    for sentence in found["ambiguous"][:SHOWN]:
        console.print(sentence, style="red", markup=False)
    for path in found["unknown"][:SHOWN]:
        console.print(f"Not a picture of this job: {path}", style="yellow", markup=False)
    if found["n_unknown"] > SHOWN:
        console.print(f"… and {found['n_unknown'] - SHOWN} more.", style="yellow", markup=False)
