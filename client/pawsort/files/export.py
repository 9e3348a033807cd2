"""Writing results to files, which appear under their names only when they are whole."""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient

KINDS = ("csv", "jsonl", "parquet", "zip", "html")
STDOUT = Path("-")


def kind_of(target: Path) -> str:
    """The kind of export that a file's ending asks for; CSV for standard output and without an ending.

    Raises:
        ClientError: There is no such kind.
    """
    ending = target.suffix.removeprefix(".").lower()
    if target == STDOUT or not ending:
        return "csv"
    if ending not in KINDS:
        raise ClientError(f"-o {target}: expected a name that ends in .{', .'.join(KINDS)}; got .{ending}.")
    return ending


def check_target(target: Path) -> None:
    """Find out before the work, not after it, that the file cannot be written.

    Raises:
        ClientError: Its folder is missing, or it is a folder itself.
    """
    kind_of(target)
    if target == STDOUT:
        return
    if not target.absolute().parent.is_dir():
        raise ClientError(f"-o {target}: the folder {target.parent} does not exist. Make it first.")
    if target.is_dir():
        raise ClientError(f"-o {target} is a folder; expected the name of a file.")


def write_results(
    client: PawsortClient, jobs: Sequence[str], target: Path, wanted: Mapping[str, str] | None = None
) -> None:
    """Write the results of all jobs, in their order, to one file or to standard output.

    Args:
        wanted: Of a zip and a report: whose label decides (`by`); of a zip: whether folders are kept (`tree`).
    Raises:
        ClientError: The file cannot be written, or several jobs do not fit into one file of this kind.
    """
    kind = kind_of(target)
    if len(jobs) > 1 and kind not in ("csv", "jsonl"):
        raise ClientError(f"-o {target}: {len(jobs)} jobs fit into one .csv or .jsonl; export the others one by one.")
    _check_wanted(target, kind, wanted or {})
    if target == STDOUT:
        sys.stdout.buffer.writelines(_joined(client, jobs, kind, wanted))
        sys.stdout.buffer.flush()
        return
    partial = target.with_name(f"{target.name}.part")
    try:
        with partial.open("wb") as out:
            out.writelines(_joined(client, jobs, kind, wanted))
        partial.replace(target)
    except OSError as error:
        raise ClientError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _check_wanted(target: Path, kind: str, wanted: Mapping[str, str]) -> None:
    if "tree" in wanted and kind != "zip":
        raise ClientError(f"-o {target}: --flat is about folders in a zip; expected a name that ends in .zip.")
    if "by" in wanted and kind not in ("zip", "html"):
        raise ClientError(f"-o {target}: a .{kind} has a column for each label; --by goes with .zip and .html.")


def _joined(client: PawsortClient, jobs: Sequence[str], kind: str, wanted: Mapping[str, str] | None) -> Iterator[bytes]:
    for number, job in enumerate(jobs):
        with client.open_export(job, kind, wanted) as blocks:
            yield from _without_first_line(blocks) if number and kind == "csv" else blocks


def _without_first_line(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The header of a CSV never holds a line break of its own."""
    for block in blocks:
        _, line_break, rest = block.partition(b"\n")
        if line_break:
            return itertools.chain([rest], blocks)
    return iter(())
