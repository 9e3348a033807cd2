"""Tables as somebody else made them."""

from pathlib import Path

import pytest

from pawsort.api.errors import ClientError
from pawsort.files.tables import read_rows


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
