"""A rearranged folder as corrections: the server needs only the path and the SHA-256 of each file."""

import json
from collections.abc import Iterator
from pathlib import Path

from pawsort.files.content_index import FileHashes
from pawsort.files.sort_manifest import NAME
from pawsort.uploads.sources import SkippedPath, files_of, walk


def list_files(folder: Path, skipped: list[SkippedPath]) -> Iterator[bytes]:
    """Iterate over one line of JSON for each file below a folder, and the lines of its manifest.

    Files that cannot be read are added to `skipped`.
    """
    hashes = FileHashes()
    for item in files_of(walk([folder]), skipped.append):
        if item.file.name == NAME:
            yield item.file.read_bytes() + b"\n"
            continue
        sha256 = hashes.of(item.file)
        if sha256 is None:
            skipped.append(SkippedPath(item.path, "it cannot be read", lost=True))
        else:
            yield json.dumps({"path": item.path, "sha256": sha256.hex()}).encode() + b"\n"
