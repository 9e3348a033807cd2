"""`pawsort verify` against the real application, with a worker that classifies."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from core.base.config import Settings
from core.base.database import Database
from core.jobs import jobs
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support.factories import draw_picture, make_job, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.inference import sort_all
from web.app import App

DATABASES = ("sqlite",)


@pytest.fixture
def job(app: App, settings: Settings, db: Database, blobs: Blobs) -> Iterator[UUID]:
    """A job that a worker has classified, as it does with what comes."""
    files = {"photos/1.jpg": draw_picture(1), "photos/2.jpg": draw_picture(2), "photos/3.jpg": b"no picture"}
    runtime, stop = FakeRuntime(settings, db), threading.Event()
    job = make_job(db, make_upload(db, blobs, files), threshold=0.7)
    sort_all(runtime)

    def work() -> None:
        while not stop.wait(0.05):
            sort_all(runtime)

    thread = threading.Thread(target=work)
    thread.start()
    yield job
    stop.set()
    thread.join()


def run(address: str, token: str, *words: object) -> Result:
    words = (*map(str, words), "--server", address)
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, words, standalone_mode=False)


def test_an_export_is_computed_again_and_a_changed_one_is_found_out(
    address: str, token: str, db: Database, job: UUID, tmp_path: Path
) -> None:
    table = tmp_path / "results.parquet"
    assert run(address, token, "export", job, "-o", table).exit_code == 0
    same = run(address, token, "verify", table, "--json")
    assert same.return_value == 0, same.output
    outcome = json.loads(same.stdout)
    assert (outcome["is_same"], outcome["n_compared"], outcome["largest_difference"]) == (True, 3, 0.0)
    forged = pyarrow.parquet.read_table(table)
    column = forged.column_names.index("p_cat")
    values = [None if value is None else 1 - value for value in forged["p_cat"].to_pylist()]
    pyarrow.parquet.write_table(forged.set_column(column, "p_cat", [values]), table)
    found = run(address, token, "verify", table, "--json")
    assert (found.return_value, len(json.loads(found.stdout)["differences"])) == (1, 2)
    with db.read() as session:
        assert jobs.get_job(session, job).name == "photos"


def test_pictures_come_from_a_folder_by_content_and_a_csv_needs_its_job(
    address: str, token: str, job: UUID, tmp_path: Path
) -> None:
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved/renamed.jpg").write_bytes(draw_picture(2))
    table = tmp_path / "results.csv"
    run(address, token, "export", job, "-o", table)
    refused = run(address, token, "verify", table)
    assert "give --job JOB" in refused.output
    done = run(address, token, "verify", table, tmp_path / "moved", "--job", job)
    assert done.return_value == 0, done.output
    assert "1 of 1 results are the same with version 1" in done.stderr
    assert "2 pictures were not found" in done.stderr
