"""Where results are written to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pawsort import Pawsort
from pawsort.api.calls import Received
from pawsort.api.errors import ClientError
from pawsort.files.export import STDOUT, check_target, format_of, write_results
from tests.support.tiny_server import Answer, tiny_server


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
        ("a.jsonl", {"bom": True}, "--bom applies to .csv only"),
    ],
    ids=["by", "flat", "bom"],
)
def test_choices_that_a_format_of_file_does_not_know_are_refused(
    tmp_path: Path, name: str, wanted: dict[str, str], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        check_target(tmp_path / name, wanted)


class _Server:
    """A server with one table."""

    @contextmanager
    def open_export(self, job: str, format_: str, **options: Any) -> Iterator[Received[Iterator[bytes]]]:
        yield Received(iter([b"path\n"]), False, datetime.now(UTC))


def test_a_link_that_waits_next_to_the_file_is_not_followed(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "out.csv"
    victim.write_text("mine")
    (tmp_path / "out.csv.part").symlink_to(victim)
    target.symlink_to(victim)
    write_results(_Server(), ["job"], target)  # type: ignore[arg-type]
    assert victim.read_text() == "mine"
    assert target.read_text() == "path\n"
    assert not target.is_symlink()


@pytest.mark.parametrize("name", ["out.csv", "out.zip"])
def test_an_export_that_is_cut_fails_and_leaves_the_older_file(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    target.write_text("older")
    half = Answer(body=b"path,label\na.jpg,cat\n", n_missing=100)
    with (
        tiny_server(half) as (address, _),
        Pawsort(address, "token") as client,
        pytest.raises(ClientError, match="broke off before its end"),
    ):
        write_results(client.jobs, ["11111111-1111-4111-8111-111111111111"], target)
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert target.read_text() == "older"
