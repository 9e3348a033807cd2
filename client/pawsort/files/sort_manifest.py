"""The manifest of a sorted folder: the label that each picture had when it was sorted, and when that was.

`pawsort correct` and the page send it along, so that the server knows which pictures were moved, and keeps labels that
are newer than the folder.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pawsort.api.errors import ClientError

NAME = "pawsort-manifest.jsonl"


def append_manifest(
    folder: Path, job: str, exported_at: datetime, by: str, places: Iterable[tuple[bytes, str]]
) -> None:
    """Note pictures that were just sorted, below those of earlier calls.

    Args:
        exported_at: When the labels were read, by the server's clock.
        by: Whose labels they are.
        places: SHA-256 and label of each picture.
    Raises:
        ClientError: The file cannot be written.
    """
    entries = [{"sha256": sha256.hex(), "was": label} for sha256, label in places]
    if not entries:
        return
    lines = [{"exported_at": exported_at.isoformat(), "job": job, "by": by}, *entries]
    try:
        with (folder / NAME).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    except OSError as error:
        raise ClientError(f"{folder / NAME} cannot be written: {error.strerror}.") from error


def read_noted(folder: Path) -> dict[bytes, str]:
    """The label of each picture that earlier calls have noted, by its SHA-256; malformed lines do not count."""
    noted: dict[bytes, str] = {}
    try:
        with (folder / NAME).open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                    noted[bytes.fromhex(entry["sha256"])] = entry["was"]
                except (ValueError, TypeError, KeyError):
                    continue
    except OSError:
        return {}
    return noted
