"""The originals of a job as a ZIP with a folder for each label, streamed: memory holds names and a few MiB."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum

from core.jobs.results import ResultRow
from web.exports.label_preference import LABEL_BY, By
from web.exports.names import UniqueNames, safe_name, safe_path
from web.exports.tables import csv_line, guard_formula
from web.exports.zip_writer import ZipWriter

UNLABELLED = "unlabelled"
ERRORS = "errors.csv"
NOT_KEPT = "not_kept"
NOT_KEPT_SENTENCE = "The file itself is not on this server: it was too large to upload, or has been deleted."


class Tree(StrEnum):
    """Whether the uploaded folders are kept below each label. The name is part of the OpenAPI description."""

    KEEP = "keep"
    FLAT = "flat"


def zip_blocks(files: Iterable[tuple[ResultRow, bytes | None]], by: By, tree: Tree) -> Iterator[bytes]:
    """The ZIP in blocks. Files are stored uncompressed: pictures hardly get smaller.

    Args:
        files: Results with the bytes of their files, or None where the file is not available.
    """
    names = UniqueNames()
    with closing(ZipWriter(datetime.now(UTC))) as archive, tempfile.TemporaryFile() as errors:
        errors.write(_line(("path", "error_code", "error")))
        for row, data in files:
            label = LABEL_BY[by](row) or (None if row.error_code else UNLABELLED)
            if label is None or data is None:
                errors.write(_line(_error(row)))
                continue
            inside = safe_path(row.path) if tree == Tree.KEEP else safe_name(row.path.rpartition("/")[2])
            yield from archive.add(names.reserve(f"{label}/{inside}"), data)
        yield from archive.add_written(names.reserve(ERRORS), errors)
        yield from archive.finish()


def _line(cells: Iterable[str]) -> bytes:
    return csv_line(cells).encode("utf-8", "backslashreplace")


def _error(row: ResultRow) -> list[str]:
    code, sentence = (row.error_code, row.error) if row.error_code else (NOT_KEPT, NOT_KEPT_SENTENCE)
    return [guard_formula(cell or "") for cell in (row.path, code, sentence)]
