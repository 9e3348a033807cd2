"""From the shell against a running server: sort on this disk, rearrange, send back as corrections, take back."""

import json
import re
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from click.testing import CliRunner, Result

from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.storage.blobs import Blobs
from pawsort.commands.labels.correct import command as correct
from pawsort.commands.labels.sort import command as sort_
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job

DATABASES = ("sqlite",)
OUTCOMES = {"photos/1.jpg": (0.95, 0.01), "photos/2.jpg": (0.1, 0.9), "photos/3.jpg": (0.5, 0.4)}


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs, tmp_path: Path) -> UUID:
    """A cat, a dog, one unsure; the files lie in `photos`, too."""
    files = {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}
    (tmp_path / "photos").mkdir()
    for path, data in files.items():
        (tmp_path / path).write_bytes(data)
    job = make_job(db, make_upload(db, blobs, files))
    run_job(db, job, OUTCOMES)
    return job


def run(command: object, *arguments: object, token: str, served: httpx2.Client) -> Result:
    words = [*map(str, arguments), "--server", str(served.base_url)]
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(command, words, standalone_mode=False)  # type: ignore[arg-type]


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


def test_what_is_sorted_and_rearranged_becomes_labels_and_is_taken_back(
    served: httpx2.Client, token: str, db: Database, job: UUID, tmp_path: Path
) -> None:
    photos, target = tmp_path / "photos", tmp_path / "sorted"
    done = run(sort_, job, "--from", photos, "--to", target, token=token, served=served)
    assert (done.exception, done.return_value) == (None, 0)
    assert "3 files sorted into" in done.stderr
    (target / "unsure/photos/3.jpg").rename(target / "dog/was-unsure.jpg")
    (target / "cat/new.jpg").write_bytes(b"not of this job")
    manifest = (target / "pawsort-manifest.jsonl").read_text()
    assert [json.loads(line).get("was") for line in manifest.splitlines()] == [None, "cat", "dog", "unsure"]
    done = run(correct, job, target, "--dry-run", token=token, served=served)
    assert "1 would be corrected (1 unsure -> dog)" in done.stderr
    assert words(db, job) == [None, None, None]
    done = run(correct, job, target, token=token, served=served)
    assert (done.exception, done.return_value) == (None, 0)
    assert "1 corrected (1 unsure -> dog), 2 confirmed, 1 not in this job" in done.stderr
    assert "Not in this job: sorted/cat/new.jpg" in done.stderr
    assert words(db, job) == [None, None, "dog"]
    batch = re.search(r"--undo (\S+)", done.stderr)
    assert batch is not None
    run(correct, job, "--undo", batch[1], token=token, served=served)
    assert words(db, job) == [None, None, None]


@pytest.mark.slow
def test_labels_that_are_newer_than_the_folder_stay_also_when_it_was_sorted_again(
    served: httpx2.Client, token: str, db: Database, job: UUID, tmp_path: Path
) -> None:
    target = tmp_path / "sorted"
    for _ in range(2):
        run(sort_, job, "--from", tmp_path / "photos", "--to", target, token=token, served=served)
    assert len((target / "pawsort-manifest.jsonl").read_text().splitlines()) == 4
    with db.write() as session:
        add_labels(session, None, [NewLabel(read_results(db, job)[1].image_id, "neither")])
    (target / "cat/photos/1.jpg").rename(target / "dog/1.jpg")
    done = run(correct, job, target, token=token, served=served)
    assert "1 corrected (1 cat -> dog), 0 confirmed, 1 have a newer label and keep it" in done.stderr
    assert words(db, job) == ["dog", "neither", None]
