"""A Parquet file that nobody reads to its end."""

from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pytest

from core.jobs.results import ResultRow
from web.exports import parquet
from web.exports.origin import Origin


def row(number: int) -> ResultRow:
    # Digests that compress badly: the file is longer than what a pipe holds.
    digest = number.to_bytes(4, "big") * 8
    return ResultRow(number, number, f"{number}.jpg", 1, digest, "cat", 0.9, [0.9, 0.1], None, None, None, None)


def test_a_reader_that_goes_away_ends_the_writer_without_a_panic_of_the_library(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 1000)
    origin = Origin(uuid4(), 1, None, ("seed-cnn",), None, 0.5, (2,), False, datetime.now(UTC))
    with closing(parquet.parquet_blocks(map(row, count(1)), origin)) as blocks:
        assert next(blocks).startswith(b"PAR1")
    assert capfd.readouterr().err == ""
