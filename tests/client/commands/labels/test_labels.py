"""`pawsort labels import`: a table that was exported and changed comes home, against the real application."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job
from web.app import App

DATABASES = ("sqlite",)
OUTCOMES = {f"photos/{n}.jpg": (0.95, 0.01) for n in range(4)}
Rows = list[dict[str, object]]


@pytest.fixture
def job(app: App, db: Database, blobs: Blobs) -> UUID:
    """Four cats, the first of which a person called a dog."""
    job = make_job(db, make_upload(db, blobs, {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}))
    run_job(db, job, OUTCOMES)
    with db.write() as session:
        add_labels(session, None, [NewLabel(read_results(db, job)[0].image_id, "dog")])
    return job


def write_csv(path: Path, rows: Rows) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_parquet(path: Path, rows: Rows) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}


def run(address: str, token: str, *words: object) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, [*map(str, words), "--server", address])


def labels_of(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


@pytest.mark.parametrize("ending", WRITERS)
def test_a_table_whose_labels_were_changed_comes_home_and_is_undone_as_a_whole(
    address: str, token: str, db: Database, job: UUID, tmp_path: Path, ending: str
) -> None:
    table, write = tmp_path / f"t{ending}", WRITERS[ending]
    assert run(address, token, "export", job, "-o", table).exit_code == 0
    rows = read(table)
    rows[1]["human_label"], rows[2]["human_label"] = "neither", "Dog"
    write(table, rows)
    tried = run(address, token, "labels", "import", table, "--dry-run")
    assert "2 would be changed (1 none -> neither, 1 none -> dog), 1 unchanged, 1 without a label" in tried.stderr
    assert labels_of(db, job) == ["dog", None, None, None]
    done = run(address, token, "labels", "import", table)
    assert (done.exit_code, labels_of(db, job)) == (0, ["dog", "neither", "dog", None])
    batch = re.search(r"pawsort labels undo (\S+)", done.stderr)
    assert batch is not None
    assert "2 labels undone." in run(address, token, "labels", "undo", batch[1]).stderr
    assert labels_of(db, job) == ["dog", None, None, None]


def read(table: Path) -> Rows:
    readers: dict[str, Callable[[], Rows]] = {
        ".csv": lambda: [dict(row) for row in csv.DictReader(table.read_text().splitlines())],
        ".jsonl": lambda: [json.loads(line) for line in table.read_text().splitlines()],
        ".parquet": lambda: pyarrow.parquet.read_table(table).to_pylist(),
    }
    return readers[table.suffix]()


def test_pictures_are_named_by_number_and_empty_cells_withdraw_where_that_is_asked_for(
    address: str, token: str, db: Database, job: UUID, tmp_path: Path
) -> None:
    table, numbers = tmp_path / "t.csv", [row.image_id for row in read_results(db, job)]
    write_csv(table, [{"image_id": numbers[0], "said": ""}, {"image_id": f"{numbers[1]}.0", "said": "cat"}])
    words = ("labels", "import", table, "--column", "said")
    assert "1 changed (1 none -> cat), 0 unchanged, 1 without a label" in run(address, token, *words).stderr
    assert "1 changed (1 dog -> none), 1 unchanged" in run(address, token, *words, "--withdraw-empty").stderr
    assert labels_of(db, job) == [None, "cat", None, None]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"sha256": "0", "label": "cat"}], "row 1: expected 64 hexadecimal digits in sha256; got '0'"),
        ([{"sha256": "0" * 64, "label": "cat"}, {"sha256": "0" * 64, "label": "dog"}], "Give each picture one label"),
        ([{"path": "a.jpg", "label": "cat"}], "expected a column sha256 or image_id; there are path, label"),
        ([{"image_id": 1, "label": "bird"}], "cat"),
    ],
)
@pytest.mark.usefixtures("job")
def test_a_table_that_cannot_be_read_writes_nothing(
    address: str, token: str, db: Database, tmp_path: Path, rows: Rows, sentence: str
) -> None:
    write_csv(tmp_path / "t.csv", rows)
    refused = run(address, token, "labels", "import", tmp_path / "t.csv")
    assert (refused.exit_code, sentence in refused.output) == (1, True), refused.output


def test_pictures_that_are_not_on_the_server_are_named(address: str, token: str, job: UUID, tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [{"sha256": "0" * 64, "label": "cat"}])
    said = run(address, token, "labels", "import", tmp_path / "t.csv")
    assert f"Not on this server: {'0' * 64}" in said.stderr
