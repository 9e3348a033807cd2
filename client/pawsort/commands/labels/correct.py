"""`pawsort correct`: import corrections from a folder that was rearranged in a file manager."""

from pathlib import Path

import click

from pawsort.api.errors import ClientError
from pawsort.completion import JOB
from pawsort.connect import connect, server_options
from pawsort.console import Terminal, count_parts, first_lines
from pawsort.files.corrections import list_files
from pawsort.help import examples
from pawsort.schemas import Corrections
from pawsort.terminal import show
from pawsort.uploads.archive_kinds import is_archive
from pawsort.uploads.progress import print_skipped
from pawsort.uploads.sources import SkippedPath


@click.command("correct", epilog=examples("pawsort correct JOB sorted --dry-run", "pawsort correct JOB sorted"))
@click.argument("job", metavar="JOB", type=JOB)
@click.argument("folder", metavar="FOLDER", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--undo", metavar="BATCH", type=click.UUID, help="Undo an earlier call; its output has the id.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and show what would change.")
@server_options
def command(
    job: str, folder: Path | None, undo: str | None, dry_run: bool, server: str | None, token: str | None
) -> int:
    """Import corrections from a sorted folder (or zip) that was rearranged by hand.

    Pictures are recognised by their content, so they may have been renamed and moved. The nearest folder named after a
    class or `neither` is the label. With the manifest that `pawsort sort` and sorted zips put there, labels that are
    newer than the folder stay. For a folder, only hashes and paths are uploaded. The exit code is 1 when a picture
    is in folders of two classes, or a file cannot be read.
    """
    if (folder is None) == (undo is None) or (undo and dry_run):
        raise click.UsageError("Give either FOLDER, perhaps with --dry-run, or --undo BATCH.")
    console = Terminal()
    skipped: list[SkippedPath] = []
    with connect(server, token) as client:
        if folder is None:
            undone = client.labels.undo_batch(str(undo))
            console.print(f"{undone.n_labels:,} labels undone.")
            show(undone)
            return 0
        if is_archive(folder):
            with folder.open("rb") as archive:
                answer = client.labels.correct(job, archive, dry_run=dry_run)
        elif folder.is_dir():
            lines = b"".join(list_files(folder, skipped))
            answer = client.labels.correct(job, lines, dry_run=dry_run)
        else:
            raise ClientError(f"{folder}: expected a folder, a zip or a tar; this is neither.")
    _print_problems(console, answer, skipped)
    console.print(_summary(answer, dry_run))
    if answer.batch:
        console.print(f"To undo this: pawsort correct {job} --undo {answer.batch}")
    show(answer)
    return 1 if answer.n_ambiguous or any(path.lost for path in skipped) else 0


def _summary(answer: Corrections, is_dry: bool) -> str:
    others = {
        "have a newer label and keep it": answer.n_newer,
        "not moved": answer.n_unmoved,
        "in folders that are no label": answer.n_silent,
        "not in this job": answer.n_unknown,
        "in folders of two classes": answer.n_ambiguous,
    }
    corrected = f"{answer.n_corrected:,} {'would be ' if is_dry else ''}corrected{_changes(answer)}"
    return ", ".join([corrected, f"{answer.n_confirmed:,} confirmed", *count_parts(others)])


def _changes(answer: Corrections) -> str:
    words = [f"{one.n:,} {one.shown or 'without label'} -> {one.label}" for one in answer.changes]
    return f" ({', '.join(words)})" if words else ""


def _print_problems(console: Terminal, answer: Corrections, skipped: list[SkippedPath]) -> None:
    print_skipped(console, skipped)
    if answer.exported_at is None:
        words = f"; {answer.n_replaced:,} labels of people or folders are replaced" if answer.n_replaced else ""
        console.warn(f"No manifest: compared with the labels of now{words}.")
    for line in first_lines(answer.ambiguous, answer.n_ambiguous):
        console.report(line)
    for line in first_lines([f"Not in this job: {path}" for path in answer.unknown], answer.n_unknown):
        console.warn(line)
