"""Folders that were rearranged, as corrections: what the server needs of a file is its path and its SHA-256."""

import json
from collections.abc import Iterator
from pathlib import Path

from pawsort.files.contents import Hashes
from pawsort.sending.sources import Skipped, SourceFile, walk


def list_files(folder: Path, skipped: list[Skipped]) -> Iterator[bytes]:
    """A line of JSON for each file below a folder; what cannot be read goes to `skipped`."""
    hashes = Hashes()
    for item in walk([folder]):
        if isinstance(item, SourceFile):
            sha256 = hashes.of(item.file)
            if sha256 is not None:
                yield json.dumps({"path": item.path, "sha256": sha256.hex()}).encode() + b"\n"
                continue
            item = Skipped(item.path, "it cannot be read", lost=True)
        skipped.append(item)
