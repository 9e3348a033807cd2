"""Where results are written to."""

from pathlib import Path

import pytest

from pawsort.api.errors import ClientError
from pawsort.files.export import STDOUT, check_target, format_of


@pytest.mark.parametrize(("name", "kind"), [("a.csv", "csv"), ("a.JSONL", "jsonl"), ("a.zip", "zip"), ("a", "csv")])
def test_the_ending_says_what_is_written(name: str, kind: str) -> None:
    assert format_of(Path(name)) == kind
    assert format_of(STDOUT) == "csv"


@pytest.mark.parametrize(
    ("name", "words"), [("out.xls", r"\.xls"), ("missing/out.csv", "does not exist"), ("", "is a folder")]
)
def test_a_target_that_cannot_be_written_is_known_before_the_work(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        check_target(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "wanted", "words"),
    [
        ("a.csv", {"by": "model"}, "--by applies to .zip and .html only"),
        ("a.html", {"tree": "flat"}, "--flat applies to .zip only"),
        ("a.jsonl", {"bom": "1"}, "--bom applies to .csv only"),
    ],
    ids=["by", "flat", "bom"],
)
def test_choices_that_a_format_of_file_does_not_know_are_refused(
    tmp_path: Path, name: str, wanted: dict[str, str], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        check_target(tmp_path / name, wanted)
