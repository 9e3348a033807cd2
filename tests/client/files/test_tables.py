"""Tables as somebody else made them."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from pawsort.api.errors import ClientError
from pawsort.files import tables
from pawsort.files.tables import read_names, read_rows


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.jsonl", b"[" * 100_000),
        ("long.jsonl", b'{"image_id": ' + b"9" * 5000 + b"}"),
        ("bytes.csv", b"sha256,label\n\xff\xfe,cat\n"),
        ("field.csv", b"sha256,label\n" + b"a" * 200_000 + b",cat\n"),
        ("no.parquet", b"PAR1 and nothing else PAR1"),
    ],
)
def test_a_table_that_cannot_be_read_is_an_error_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    table = tmp_path / name
    table.write_bytes(content)
    with pytest.raises(ClientError, match="cannot be read"):
        list(read_rows(table))


@pytest.fixture(params=["pyarrow", "arro3"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each library that reads Parquet."""
    if request.param == "arro3":
        monkeypatch.setattr(tables, "_import_pyarrow", lambda: None)


@pytest.mark.usefixtures("_reader")
def test_only_the_columns_that_are_needed_become_rows(tmp_path: Path) -> None:
    table = tmp_path / "labels.parquet"
    pyarrow.parquet.write_table(
        pyarrow.table({"sha256": ["a", "b"], "label": ["cat", None], "notes": ["x", "y"]}), table
    )
    assert list(read_rows(table, ("sha256", "label"))) == [
        {"sha256": "a", "label": "cat"},
        {"sha256": "b", "label": None},
    ]
    assert read_names(table) == ["sha256", "label", "notes"]


@pytest.mark.usefixtures("_reader")
def test_rows_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    """Repeated texts compress well: 100 kB on disk are 200 MB."""
    table = tmp_path / "bomb.parquet"
    rows = pyarrow.table({"label": ["x" * 100_000] * 1000})
    pyarrow.parquet.write_table(rows, table, compression="zstd")
    assert table.stat().st_size < 2**18
    with pytest.raises(ClientError, match="of memory"):
        list(read_rows(table, ("label",)))


def test_a_line_that_does_not_end_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "long.jsonl"
    table.write_bytes(b"{" + b" " * (tables.MAX_LINE + 1) + b"}")
    with pytest.raises(ClientError, match="line 1: expected at most"):
        list(read_rows(table))
