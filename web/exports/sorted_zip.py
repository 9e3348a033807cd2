"""The originals of a job as a ZIP with a folder for each label, streamed: memory holds names and a few MiB."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from enum import StrEnum
from typing import Self

from core.jobs.confidence import UNSURE
from core.jobs.results import ResultRow
from core.review import sort_manifest
from web.exports.label_preference import LABEL_BY, By
from web.exports.names import UniqueNames, safe_path
from web.exports.originals import Original
from web.exports.sort_manifest import ManifestWriter
from web.exports.tables import csv_line, guard_formula
from web.exports.zip_writer import ZipWriter

UNLABELLED = "unlabelled"
PROBABLY_NEITHER = "probably_neither"  # below the folder of unsure pictures
ERRORS = "errors.csv"
RENAMED = "renamed.csv"
NOT_KEPT = "not_kept"
NOT_KEPT_SENTENCE = "The file itself is not on this server: it was too large to upload, or has been deleted."


class Tree(StrEnum):
    """Whether the uploaded folders are kept below each label."""

    KEEP = "keep"
    FLAT = "flat"


def zip_blocks(files: Iterable[Original], by: By, tree: Tree, manifest: ManifestWriter) -> Iterator[bytes]:
    """The ZIP in blocks. Files keep their dates, and are stored uncompressed: pictures hardly get smaller.

    Files whose names are not those of the upload, because some system could not unpack them or because they are taken,
    are listed in `renamed.csv`.

    Args:
        manifest: Begun already; closed here.
    """
    names = UniqueNames()
    with ExitStack() as opened:
        archive = opened.enter_context(closing(ZipWriter(int(time.time()))))
        opened.enter_context(manifest)
        errors = opened.enter_context(_Table("path", "error_code", "error"))
        renamed = opened.enter_context(_Table("path", "renamed_to"))
        for row, data, modified_at in files:
            label = LABEL_BY[by](row) or (None if row.error_code else UNLABELLED)
            if label is None or data is None:
                errors.add(*_error(row))
                continue
            folder = f"{label}/{PROBABLY_NEITHER}" if label == UNSURE and row.is_probably_neither else label
            wanted = row.path if tree == Tree.KEEP else row.path.rpartition("/")[2]
            name = names.reserve(f"{folder}/{safe_path(wanted)}")
            if name != f"{folder}/{wanted}":
                renamed.add(row.path, name)
            manifest.add(row.sha256, label)
            yield from archive.add(name, data, modified_at)
        yield from archive.add_written(names.reserve(sort_manifest.NAME), manifest.file)
        yield from archive.add_written(names.reserve(ERRORS), errors.file)
        if renamed.n_rows:
            yield from archive.add_written(names.reserve(RENAMED), renamed.file)
        yield from archive.finish()


class _Table:
    """A CSV that is collected on disk."""

    def __init__(self, *header: str) -> None:
        self.n_rows = 0
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self._write(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, *cells: str) -> None:
        self.n_rows += 1
        self._write(map(guard_formula, cells))

    def _write(self, cells: Iterable[str]) -> None:
        self.file.write(csv_line(cells).encode("utf-8", "backslashreplace"))


def _error(row: ResultRow) -> tuple[str, str, str]:
    if row.error_code is None:
        return row.path, NOT_KEPT, NOT_KEPT_SENTENCE
    return row.path, row.error_code, row.error or ""
