"""Write results to files. A file appears under its name only when it is complete."""

import itertools
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.operations.jobs import FORMATS
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


def check_target(target: Path, options: Mapping[str, str] | None = None) -> None:
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


def write_results(
    client: PawsortClient, jobs: Sequence[str], target: Path, options: Mapping[str, str] | None = None
) -> None:
    """Write the results of all jobs, in their order, to one file or to standard output.

    Args:
        options: For a zip or a report, whose labels to use (`by`); for a zip, whether to keep folders (`tree`); for a
            CSV, whether it begins with a byte order mark (`bom`).
    Raises:
        ClientError: The file cannot be written, or this format holds only one job.
    """
    format_ = format_of(target)
    if len(jobs) > 1 and format_ not in ("csv", "jsonl"):
        raise ClientError(
            f"-o {target}: this format holds one job, got {len(jobs)}. Use .csv or .jsonl, or export one by one."
        )
    if target == STDOUT:
        current_output().write(_joined(client, jobs, format_, options))
        return
    save(target, _joined(client, jobs, format_, options))


def save(target: Path, blocks: Iterable[bytes]) -> None:
    """Write a stream to a file, completely or not at all.

    Raises:
        ClientError: The file cannot be written.
    """
    # A name that nobody can guess: a link that waits under it would be followed.
    partial = target.with_name(f"{target.name}.{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as out:
            out.writelines(blocks)
        partial.replace(target)
    except OSError as error:
        raise ClientError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _check_options(target: Path, format_: str, options: Mapping[str, str]) -> None:
    if "tree" in options and format_ != "zip":
        raise ClientError(f"-o {target}: --flat applies to .zip only. Leave it out, or give a name that ends in .zip.")
    if "bom" in options and format_ != "csv":
        raise ClientError(f"-o {target}: --bom applies to .csv only. Leave it out, or give a name that ends in .csv.")
    if "by" in options and format_ not in ("zip", "html"):
        raise ClientError(
            f"-o {target}: --by applies to .zip and .html only. A .{format_} has all labels; leave it out."
        )


def _joined(
    client: PawsortClient, jobs: Sequence[str], format_: str, options: Mapping[str, str] | None
) -> Iterator[bytes]:
    for number, job in enumerate(jobs):
        with client.open_export(job, format_, options) as export:
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
