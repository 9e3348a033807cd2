"""`pawsort classify`: what systems and tools leave behind, and lists of paths."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from core.base.database import Database
from core.orm.uploads import Upload
from pawsort.cli import cli
from tests.support.factories import make_tar

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("app")


def classify(address: str, token: str, path: Path) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["classify", str(path), "--server", address])


@pytest.fixture
def leftovers(tmp_path: Path) -> Path:
    for name in ("photos/Thumbs.db", "photos/@eaDir/a.jpg/1.jpg", "photos/@eaDir/a.jpg/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path / "photos"


def test_leftovers_alone_are_named_with_the_way_to_send_them(
    address: str, token: str, db: Database, leftovers: Path
) -> None:
    said = classify(address, token, leftovers)
    assert said.exit_code == 1
    assert "Left out 3 files: 1 system file, 2 files of a network drive." in said.output
    assert "--everything" in said.output
    assert "images/s" not in said.output
    with db.read() as session:
        assert session.scalars(select(Upload)).all() == []


def test_an_archive_of_leftovers_alone_ends_without_a_line_of_zeros(address: str, token: str, tmp_path: Path) -> None:
    archive = tmp_path / "photos.tar"
    archive.write_bytes(make_tar({"Thumbs.db": b"x", "@eaDir/a.jpg": b"x"}))
    said = classify(address, token, archive)
    assert "systems and tools leave behind" in said.output
    assert "0 images" not in said.output


def test_a_list_with_nothing_to_send_says_what_is_missing(address: str, token: str, tmp_path: Path) -> None:
    words = ["classify", "-", "--server", address]
    said = CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, words, input=f"{tmp_path}\n")
    assert said.exit_code == 1
    assert "There are no files in the list on standard input." in said.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("-", "/"), "Give - alone"), (("-0", "/"), "--null needs - as PATH")],
)
def test_a_list_stands_alone(words: tuple[str, ...], sentence: str) -> None:
    said = CliRunner().invoke(cli, ["classify", *words], input="")
    assert said.exit_code == 2
    assert sentence in said.stderr
