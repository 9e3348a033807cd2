"""Results as Parquet, with the columns of the other tables."""

import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from typing import TYPE_CHECKING, BinaryIO, cast

from core.jobs.results import ResultRow
from web.exports.origin import Origin
from web.exports.tables import COLUMNS, PROBABILITIES, row_values

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from arro3.core import RecordBatch, Schema

ROW_GROUP = 10_000
BLOCK_BYTES = 2**16
COMPRESSION = "zstd(1)"


def parquet_blocks(rows: Iterable[ResultRow], origin: Origin) -> Iterator[bytes]:
    """A Parquet file in blocks; memory holds a few groups of rows at a time.

    The library pushes what it writes, and a response pulls: a thread writes into a pipe, which makes it wait for the
    reader and ends it when the reader goes away.

    Args:
        origin: Where the results come from, for the metadata.
    """
    reading_end, writing_end = os.pipe()
    with ThreadPoolExecutor(1) as executor, open(reading_end, "rb") as source:
        writing = executor.submit(_write, rows, origin, writing_end)
        while block := source.read(BLOCK_BYTES):
            yield block
        writing.result()


def _write(rows: Iterable[ResultRow], origin: Origin, writing_end: int) -> None:
    from arro3.core import RecordBatchReader
    from arro3.io import write_parquet

    failures: list[Exception] = []  # of reading the rows, which the library wraps in errors of its own
    about = origin.as_texts()
    schema = _schema(about)
    with open(writing_end, "wb", buffering=0) as raw:
        out = _Out(raw)
        try:
            wanted = takewhile(lambda _: not out.is_broken, _batches(rows, origin.network, schema, failures))
            batches = RecordBatchReader.from_batches(schema, wanted)
            file = cast("BinaryIO", out)
            write_parquet(
                batches, file, compression=COMPRESSION, max_row_group_size=ROW_GROUP, key_value_metadata=about
            )
        except Exception:
            if failures:
                raise failures[0] from None
            raise


class _Out(io.RawIOBase):
    """What the library writes to. It panics at an error, so that the end of the reader is kept from it."""

    def __init__(self, pipe: io.FileIO) -> None:
        self._pipe = pipe
        self.is_broken = False

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        left = memoryview(data).cast("B")
        n_bytes = len(left)
        try:
            while left and not self.is_broken:
                left = left[self._pipe.write(left) :]
        except BrokenPipeError:
            self.is_broken = True
        return n_bytes


def _batches(
    rows: Iterable[ResultRow], network: str, schema: "Schema", failures: list[Exception]
) -> "Iterator[RecordBatch]":
    from arro3.core import Array, RecordBatch

    rows = iter(rows)
    try:
        while group := [row_values(row, network) for row in islice(rows, ROW_GROUP)]:
            for values in group:
                values["path"] = _encodable(values["path"])
            columns = [Array([values[name] for values in group], schema.field(name).type) for name in COLUMNS]
            yield RecordBatch.from_arrays(columns, schema=schema)
    except Exception as error:
        failures.append(error)
        raise


def _schema(about: dict[str, str]) -> "Schema":
    """The columns. The metadata is that of the schema, too, where it survives tools that read and write a table."""
    from arro3.core import DataType, Field, Schema

    types = dict.fromkeys(COLUMNS, DataType.utf8()) | dict.fromkeys(PROBABILITIES, DataType.float64())
    types["image_id"] = DataType.int64()
    return Schema([Field(name, types[name], nullable=True) for name in COLUMNS], metadata=about)


def _encodable(path: str) -> str:
    """A path in UTF-8: file names may contain other bytes, Parquet strings may not."""
    return path.encode("utf-8", "backslashreplace").decode()
