"""Tables of results or labels: CSV, JSON Lines, and Parquet where pyarrow or arro3 is installed."""

import csv
import json
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

from pawsort.api.errors import ClientError

Row = dict[str, Any]
PREFIX = "pawsort."  # of the metadata that an export carries
FORMATS = (".csv", ".jsonl", ".parquet")


def read_rows(table: Path) -> Generator[Row]:
    """Iterate over the rows of a table, by the names of its columns.

    Raises:
        ClientError: The file cannot be read, or is no such table.
    """
    reader = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}.get(table.suffix.lower())
    if reader is None:
        raise ClientError(f"{table}: expected a table that ends in {', '.join(FORMATS)}.")
    try:
        yield from reader(table)
    except OSError as error:
        raise ClientError(f"{table} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError, csv.Error) as error:  # of csv, json and pyarrow
        raise ClientError(f"{table} cannot be read as {table.suffix.lower()}: {error}.") from error


def read_origin(table: Path) -> dict[str, str]:
    """What an export says of its origin, by name (`job`, `version`, `threshold`, …); empty but for Parquet."""
    if table.suffix.lower() != ".parquet":
        return {}
    file = _import_pyarrow()
    metadata = file.ParquetFile(table).metadata.metadata or {} if file else _schema_of(table).metadata
    texts = {bytes(name).decode(): bytes(text).decode() for name, text in metadata.items()}
    return {name.removeprefix(PREFIX): text for name, text in texts.items() if name.startswith(PREFIX)}


def _read_csv(table: Path) -> Iterator[Row]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def _read_jsonl(table: Path) -> Iterator[Row]:
    with table.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ClientError(f'{table}, line {number}: expected an object, such as {{"sha256": …}}.')
                yield row


def _read_parquet(table: Path) -> Iterator[Row]:
    file = _import_pyarrow()
    if file is None:
        yield from _read_with_arro3(table)
        return
    for batch in file.ParquetFile(table).iter_batches():
        yield from batch.to_pylist()


def _read_with_arro3(table: Path) -> Iterator[Row]:
    reader = _arro3().read_parquet(table)
    for batch in reader:
        columns = [batch.column(name).to_pylist() for name in batch.column_names]
        yield from _rows(batch.column_names, columns)


def _rows(names: list[str], columns: Iterable[list[Any]]) -> Iterator[Row]:
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


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
