"""Write the results of jobs to one file, or to standard output."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pawsort.api.errors import ClientError
from pawsort.api.whole_file import whole_file
from pawsort.operations.jobs import FORMATS, Jobs
from pawsort.terminal import current_output, warn

STDOUT = Path("-")


def format_of(target: Path) -> str:
    """Return the export format of a file's ending. Without one it is CSV; on standard output also JSON Lines.

    Raises:
        ClientError: There is no such format.
    """
    ending = target.suffix.removeprefix(".").lower()
    if target == STDOUT:
        return "jsonl" if current_output().is_json else "csv"
    if not ending:
        return "csv"
    if ending not in FORMATS:
        raise ClientError(f"-o {target}: expected a name that ends in .{', .'.join(FORMATS)}; got .{ending}.")
    return ending


def check_target(target: Path, options: Mapping[str, Any] | None = None) -> None:
    """Check that the file can be written, before the work and not after it.

    Args:
        options: As for `write_results`.
    Raises:
        ClientError: Its folder is missing, it is a folder itself, or its format has no such option.
    """
    _check_options(target, format_of(target), options or {})
    if target == STDOUT:
        return
    if not target.absolute().parent.is_dir():
        raise ClientError(f"-o {target}: the folder {target.parent} does not exist. Create it first.")
    if target.is_dir():
        raise ClientError(f"-o {target} is a folder; expected the name of a file.")


def write_results(jobs: Jobs, ids: Sequence[str], target: Path, options: Mapping[str, Any] | None = None) -> None:
    """Write the results of all jobs, in their order, to one file or to standard output.

    Args:
        options: For a zip or a report, whose labels to use (`by`); for a zip, whether to keep folders (`tree`); for a
            CSV, whether it begins with a byte order mark (`bom`).
    Raises:
        ClientError: The file cannot be written, or this format holds only one job.
    """
    format_ = format_of(target)
    if len(ids) > 1 and format_ not in ("csv", "jsonl"):
        raise ClientError(
            f"-o {target}: this format holds one job, got {len(ids)}. Use .csv or .jsonl, or export one by one."
        )
    if target == STDOUT:
        current_output().write(_joined(jobs, ids, format_, options or {}))
        return
    with whole_file(target) as out:
        out.writelines(_joined(jobs, ids, format_, options or {}))


def _check_options(target: Path, format_: str, options: Mapping[str, Any]) -> None:
    if "tree" in options and format_ != "zip":
        raise ClientError(f"-o {target}: --flat applies to .zip only. Leave it out, or give a name that ends in .zip.")
    if "bom" in options and format_ != "csv":
        raise ClientError(f"-o {target}: --bom applies to .csv only. Leave it out, or give a name that ends in .csv.")
    if "by" in options and format_ not in ("zip", "html"):
        raise ClientError(
            f"-o {target}: --by applies to .zip and .html only. A .{format_} has all labels; leave it out."
        )


def _joined(jobs: Jobs, ids: Sequence[str], format_: str, options: Mapping[str, Any]) -> Iterator[bytes]:
    for number, job in enumerate(ids):
        with jobs.open_export(job, format_, **options) as export:
            if export.is_partial:
                warn(f"Job {job} has not ended: files without a result so far are missing.")
            yield from _without_first_line(export.blocks) if number and format_ == "csv" else export.blocks


def _without_first_line(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Drop the header of a CSV, which never contains a line break."""
    for block in blocks:
        _, line_break, rest = block.partition(b"\n")
        if line_break:
            return itertools.chain([rest], blocks)
    return iter(())
