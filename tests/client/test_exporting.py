"""Where results are written to."""

from pathlib import Path

import pytest

from client.errors import ClientError
from client.exporting import STDOUT, check_target, kind_of


@pytest.mark.parametrize(("name", "kind"), [("a.csv", "csv"), ("a.JSONL", "jsonl"), ("a.zip", "zip"), ("a", "csv")])
def test_the_ending_says_what_is_written(name: str, kind: str) -> None:
    assert kind_of(Path(name)) == kind
    assert kind_of(STDOUT) == "csv"


@pytest.mark.parametrize(
    ("name", "words"), [("out.xls", r"\.xls"), ("missing/out.csv", "does not exist"), ("", "is a folder")]
)
def test_a_target_that_cannot_be_written_is_known_before_the_work(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        check_target(tmp_path / name)
