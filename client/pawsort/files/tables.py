"""Tables of results or labels: CSV, JSON Lines, and Parquet where pyarrow or arro3 is installed."""

import csv
import json
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pawsort.api.errors import ClientError

Row = dict[str, Any]
PREFIX = "pawsort."  # of the metadata that an export carries
MAX_LINE = 2**20  # characters of JSON Lines; csv has a limit of its own for each cell
ROWS_AT_ONCE = 1000  # of Parquet
MAX_BATCH_BYTES = 2**26  # of so many rows: a small file can hold much larger ones


def read_rows(table: Path, columns: Collection[str] | None = None) -> Generator[Row]:
    """Iterate over the rows of a table, by the names of its columns.

    Args:
        columns: The only ones that are needed; others may be left out. None for all.
    Raises:
        ClientError: The file cannot be read, or is no such table.
    """
    reader = _READERS.get(table.suffix.lower())
    if reader is None:
        raise ClientError(f"{table}: expected a table that ends in {', '.join(_READERS)}.")
    try:
        yield from reader(table, columns)
    except OSError as error:
        raise ClientError(f"{table} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError, csv.Error) as error:  # of csv, json and pyarrow
        raise ClientError(f"{table} cannot be read as {table.suffix.lower()}: {error}.") from error


def read_names(table: Path) -> list[str]:
    """The names of the columns; empty for a table without rows.

    Raises:
        ClientError: As `read_rows`.
    """
    with closing(read_rows(table)) as rows:
        return list(next(rows, {}))


def read_origin(table: Path) -> dict[str, str]:
    """What an export says of its origin, by name (`job`, `version`, `threshold`, …); empty but for Parquet."""
    if table.suffix.lower() != ".parquet":
        return {}
    file = _import_pyarrow()
    metadata = file.ParquetFile(table).metadata.metadata or {} if file else _schema_of(table).metadata
    texts = {bytes(name).decode(): bytes(text).decode() for name, text in metadata.items()}
    return {name.removeprefix(PREFIX): text for name, text in texts.items() if name.startswith(PREFIX)}


def _read_csv(table: Path, _: Collection[str] | None) -> Iterator[Row]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def _read_jsonl(table: Path, _: Collection[str] | None) -> Iterator[Row]:
    with table.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), ""), 1):
            if len(line) > MAX_LINE:
                raise ClientError(f"{table}, line {number}: expected at most {MAX_LINE:,} characters.")
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ClientError(f'{table}, line {number}: expected an object, such as {{"sha256": …}}.')
                yield row


def _read_parquet(table: Path, columns: Collection[str] | None) -> Iterator[Row]:
    for batch in _batches(table, columns):
        if batch.nbytes > MAX_BATCH_BYTES:
            raise ClientError(
                f"{table}: {ROWS_AT_ONCE:,} of its rows need more than {MAX_BATCH_BYTES >> 20} MiB of memory. Make a"
                " table with fewer columns or shorter texts."
            )
        names = [name for name in batch.schema.names if columns is None or name in columns]
        for values in zip(*(batch.column(name).to_pylist() for name in names), strict=True):
            yield dict(zip(names, values, strict=True))


def _batches(table: Path, columns: Collection[str] | None) -> Iterator[Any]:
    file = _import_pyarrow()
    if file is None:
        return iter(_arro3().read_parquet(table, batch_size=ROWS_AT_ONCE))
    needed = None if columns is None else list(columns)
    batches: Iterator[Any] = file.ParquetFile(table).iter_batches(batch_size=ROWS_AT_ONCE, columns=needed)
    return batches


_READERS: dict[str, Callable[[Path, Collection[str] | None], Iterator[Row]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


def _schema_of(table: Path) -> Any:
    return _arro3().read_parquet(table).schema


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        return None
    return pyarrow.parquet


def _arro3() -> Any:
    try:
        import arro3.io
    except ImportError:
        raise ClientError(
            "Reading Parquet needs pyarrow: install it with `pip install pyarrow`, or export the table as CSV or JSON"
            " Lines."
        ) from None
    return arro3.io
