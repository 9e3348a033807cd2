"""From paths to a file of results, over HTTP, against the real application; a thread stands in for the workers."""

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core.base.database import Database
from pawsort.api.errors import ClientError, RequestFailed
from pawsort.api.retries import Retries
from pawsort.cli import cli
from pawsort.client.pawsort import Pawsort
from pawsort.console import Terminal
from pawsort.files.export import write_results
from pawsort.uploads.progress import ProgressBars
from pawsort.workflows import start
from pawsort.workflows.classify import ClassificationRun, Outcome
from pawsort.workflows.options import JobOptions
from tests.support.browser.site import served
from tests.support.classifying import classifying
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_tar
from web.app import App

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def pawsort(app: App, token: str) -> Iterator[Pawsort]:
    with served(app) as address, Pawsort(address, token, retries=Retries(5.0, 0.05, 0.2)) as client:
        yield client


@pytest.fixture
def worker(db: Database) -> Iterator[None]:
    with classifying(db):
        yield


def classify(client: Pawsort, *paths: Path, wish: JobOptions | None = None) -> Outcome:
    bars = ProgressBars(Terminal())
    return ClassificationRun(client.transport, wish or JobOptions(), bars).run(paths)


def make_folder(folder: Path, n_files: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(n_files):
        (folder / f"{number:04d}.jpg").write_bytes(draw_picture(number))
    return folder


def rows_of(client: Pawsort, outcome: Outcome, target: Path) -> list[dict[str, str]]:
    write_results(client.jobs, outcome.jobs, target)
    return list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))


def test_a_folder_over_two_shards_has_a_line_for_each_file_in_order(pawsort: Pawsort, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", 300)
    outcome = classify(pawsort, folder)
    assert outcome.is_complete
    rows = rows_of(pawsort, outcome, tmp_path / "out.csv")
    assert [row["path"] for row in rows] == [f"photos/{number:04d}.jpg" for number in range(300)]
    assert {row["label"] for row in rows} == {"cat"}
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("everything", "n_sent"), [(False, 2), (True, 4)])
def test_leftovers_of_folders_and_archives_are_counted_or_sent(
    pawsort: Pawsort, tmp_path: Path, everything: bool, n_sent: int
) -> None:
    folder = make_folder(tmp_path / "photos", 1)
    (folder / "0000.jpg.xmp").write_bytes(b"x")
    (tmp_path / "b.tar").write_bytes(make_tar({"a.jpg": draw_picture(2), "#recycle/b.jpg": draw_picture(3)}))
    outcome = classify(pawsort, folder, tmp_path / "b.tar", wish=JobOptions(everything=everything))
    assert outcome.is_complete
    assert len(rows_of(pawsort, outcome, tmp_path / "out.csv")) == n_sent
    left_out = {} if everything else {"a sidecar file": 1, "a file in a recycle bin": 1}
    assert outcome.ignored == left_out
    assert outcome.skipped == []


def test_folders_files_and_archives_go_into_one_file_in_the_order_given(pawsort: Pawsort, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("zipped/1.jpg", draw_picture(1))
    (tmp_path / "b.tar").write_bytes(make_tar({"tarred/1.jpg": draw_picture(2)}))
    (tmp_path / "loose.jpg").write_bytes(draw_picture(3))
    folder = make_folder(tmp_path / "photos", 2)
    outcome = classify(pawsort, tmp_path / "a.zip", folder, tmp_path / "b.tar", tmp_path / "loose.jpg")
    assert outcome.is_complete
    rows = rows_of(pawsort, outcome, tmp_path / "out.csv")
    assert [row["path"] for row in rows] == [
        "zipped/1.jpg",
        "photos/0000.jpg",
        "photos/0001.jpg",
        "loose.jpg",
        "tarred/1.jpg",
    ]


def test_listed_files_are_uploaded_under_their_paths_and_what_is_missing_is_said(
    pawsort: Pawsort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(tmp_path / "photos" / "new", 2)
    monkeypatch.chdir(tmp_path)
    listed = [Path("photos/new"), Path("photos/new/0001.jpg"), Path("photos/gone.jpg")]
    outcome = ClassificationRun(pawsort.transport, JobOptions(), ProgressBars(Terminal())).run_list(listed)
    assert not outcome.is_complete
    assert [one.path for one in outcome.skipped] == ["photos/gone.jpg"]
    assert [row["path"] for row in rows_of(pawsort, outcome, tmp_path / "out.csv")] == ["photos/new/0001.jpg"]
    assert pawsort.jobs.get(outcome.jobs[0]).name == "photos"


def test_the_command_prints_one_document_or_a_line_for_each_result(address: str, token: str, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", 2)
    words = ["classify", str(folder), "--server", address, "--json", "--quiet"]
    whole, lines = (CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, [*words, *more]) for more in ([], ["-o", "-"]))
    assert (whole.exit_code, whole.stderr, lines.exit_code, lines.stderr) == (0, "", 0, "")
    document = json.loads(whole.stdout)
    assert (document["n_images"], document["by_label"]["cat"], document["is_complete"]) == (2, 2, True)
    assert [job["state"] for job in document["jobs"]] == ["done"]
    assert [json.loads(line)["path"] for line in lines.stdout.splitlines()] == ["photos/0000.jpg", "photos/0001.jpg"]


def test_an_archive_that_is_not_unpacked_is_refused_before_anything_is_sent(pawsort: Pawsort, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(draw_picture())
    (tmp_path / "pictures.jpg").write_bytes(b"Rar!\x1a\x07\x01\0" + bytes(100))
    with pytest.raises(ClientError, match="RAR archives are not supported"):
        classify(pawsort, tmp_path / "a.jpg", tmp_path / "pictures.jpg")
    assert list(pawsort.jobs.list()) == []


def test_a_broken_archive_keeps_its_whole_files_and_is_not_whole(pawsort: Pawsort, tmp_path: Path) -> None:
    tar = make_tar({f"tarred/{n}.jpg": draw_picture(n) for n in range(4)})
    (tmp_path / "a.tar").write_bytes(tar[: len(tar) // 2])
    outcome = classify(pawsort, tmp_path / "a.tar")
    assert not outcome.is_complete
    assert len(outcome.broken) == 1
    assert str(tmp_path / "a.tar") in outcome.broken[0]
    rows = rows_of(pawsort, outcome, tmp_path / "out.csv")
    assert 1 <= len(rows) < 4


def test_links_are_noted_and_do_not_count(pawsort: Pawsort, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", 2)
    (folder / "link.jpg").symlink_to(folder / "0000.jpg")
    outcome = classify(pawsort, folder)
    assert outcome.is_complete
    assert [skipped.path for skipped in outcome.skipped] == ["photos/link.jpg"]


def test_a_wish_reaches_the_job(pawsort: Pawsort, tmp_path: Path) -> None:
    wish = JobOptions(model="seed-cnn", threshold=0.95, name="holidays\t2026")
    outcome = classify(pawsort, make_folder(tmp_path / "photos", 1), wish=wish)
    job = pawsort.jobs.get(outcome.jobs[0])
    assert (job.threshold, job.name, job.version) == (0.95, "holidays?2026", 1)
    assert job.counts.by_label["unsure"] == 1


def test_a_model_that_does_not_exist_is_refused_with_a_sentence(pawsort: Pawsort, tmp_path: Path) -> None:
    with pytest.raises(RequestFailed, match="no model 'gpt'"):
        classify(pawsort, make_folder(tmp_path / "photos", 1), wish=JobOptions(model="gpt"))


def test_an_empty_folder_makes_no_job(pawsort: Pawsort, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert classify(pawsort, tmp_path / "photos").jobs == []


def test_a_job_that_is_cancelled_meanwhile_ends_the_waiting(
    pawsort: Pawsort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "photos", 2)
    run = ClassificationRun(pawsort.transport, JobOptions(), ProgressBars(Terminal()))
    upload_files = start.upload_files

    def cancel_and_upload(*given: Any, **more: Any) -> object:
        (job,) = pawsort.jobs.list()
        pawsort.jobs.cancel(job)
        return upload_files(*given, **more)

    monkeypatch.setattr(start, "upload_files", cancel_and_upload)
    began_at = time.monotonic()
    outcome = run.run([folder])
    assert time.monotonic() - began_at < within(10)
    assert outcome.views[outcome.jobs[0]].state == "cancelled"
    assert not outcome.is_complete


def test_an_export_of_a_job_that_is_not_there_leaves_no_file(pawsort: Pawsort, tmp_path: Path) -> None:
    with pytest.raises(RequestFailed, match="404"):
        write_results(pawsort.jobs, ["00000000-0000-4000-8000-000000000000"], tmp_path / "out.csv")
    assert list(tmp_path.glob("out*")) == []


def test_json_lines_of_several_jobs_follow_each_other(pawsort: Pawsort, tmp_path: Path) -> None:
    first = classify(pawsort, make_folder(tmp_path / "one", 2))
    second = classify(pawsort, make_folder(tmp_path / "two", 1))
    write_results(pawsort.jobs, first.jobs + second.jobs, tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    with pytest.raises(ClientError, match="one by one"):
        write_results(pawsort.jobs, first.jobs + second.jobs, tmp_path / "out.zip")
