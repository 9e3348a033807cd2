"""Results as tables: CSV, JSON Lines and Parquet, with the same columns."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from flask import json

from core.base.network_catalog import CLASSES
from core.jobs.results import ResultRow

# Characters at the start of a cell that a spreadsheet may run as a formula; a quote before them makes it text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBERS = ("confidence", *(f"p_{name}" for name in CLASSES))
COLUMNS = ("path", "label", *NUMBERS, "error_code", "error", "human_label", "final_label", "sha256")
ROW_GROUP = 10_000


def csv_lines(rows: Iterable[ResultRow]) -> Iterator[str]:
    """The lines of a CSV, header first."""
    yield csv_line(COLUMNS)
    for row in rows:
        values = _values(row)
        yield csv_line(
            [_decimals(values[name]) if name in NUMBERS else guard_formula(values[name] or "") for name in COLUMNS]
        )


def json_lines(rows: Iterable[ResultRow]) -> Iterator[str]:
    """One object per line, with the columns of the CSV; paths exactly as uploaded."""
    for row in rows:
        yield json.dumps(_values(row), ensure_ascii=False, sort_keys=False) + "\n"


def parquet_blocks(rows: Iterable[ResultRow]) -> Iterator[bytes]:
    """A Parquet file in blocks; memory holds one group of rows at a time."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([(name, pyarrow.float64() if name in NUMBERS else pyarrow.string()) for name in COLUMNS])
    out, rows = _OutputBuffer(), iter(rows)
    with pyarrow.parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        yield out.drain()
        while group := [_encodable(_values(row)) for row in islice(rows, ROW_GROUP)]:
            writer.write_table(pyarrow.Table.from_pylist(group, schema))
            yield out.drain()
    yield out.drain()


def csv_line(cells: Iterable[str]) -> str:
    """One line; cells with commas, quotes or line breaks are quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def guard_formula(cell: str) -> str:
    """A cell that every spreadsheet reads as text, never as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _values(row: ResultRow) -> dict[str, Any]:
    probabilities: Sequence[float | None] = row.probabilities or [None] * len(CLASSES)
    return {
        "path": row.path,
        "label": row.label,
        "confidence": row.confidence,
        **{f"p_{name}": value for name, value in zip(CLASSES, probabilities, strict=True)},
        "error_code": row.error_code,
        "error": row.error,
        "human_label": row.human_label,
        "final_label": row.final_label,
        "sha256": row.sha256.hex(),
    }


def _encodable(values: dict[str, Any]) -> dict[str, Any]:
    """The values with a path in UTF-8: file names may contain other bytes, Parquet strings may not."""
    return values | {"path": values["path"].encode("utf-8", "backslashreplace").decode()}


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


class _OutputBuffer(io.RawIOBase):
    """A file for writing only, which is emptied after each group of rows."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        block = bytes(data)
        self._waiting.append(block)
        self._position += len(block)
        return len(block)

    def drain(self) -> bytes:
        """Return, and forget, what was written since the last call."""
        blocks, self._waiting = b"".join(self._waiting), []
        return blocks
