"""`pawsort jobs` against the real application."""

import json

import pytest
from click.testing import CliRunner, Result

from core.base.database import Database
from core.base.errors import ErrorCode
from core.jobs import jobs
from core.jobs.listing import tags
from core.storage.blobs import Blobs
from pawsort.cli import cli
from tests.support.factories import draw_picture, make_job, make_upload, run_job

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("app")


def run(address: str, token: str, *words: str) -> Result:
    return CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, ["jobs", *words, "--server", address])


def test_a_job_is_shown_with_its_errors_version_threshold_and_addresses(
    address: str, token: str, db: Database, blobs: Blobs
) -> None:
    files = {"a.jpg": draw_picture(1), "b.jpg": draw_picture(2)}
    job = make_job(db, make_upload(db, blobs, files))
    run_job(db, job, {"a.jpg": (0.9, 0.1), "b.jpg": ErrorCode.TRUNCATED})
    shown = run(address, token, "show", str(job))
    assert shown.exit_code == 0, shown.output
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert lines["state"] == "done"
    assert lines["progress"].startswith("2 of 2 images")
    assert lines["failed"] == "1 (1 truncated)"
    assert lines["model"] == "version 1 (seed-cnn)"
    assert lines["page"] == f"{address}/jobs/{job}"
    details = json.loads(run(address, token, "show", str(job), "--json").stdout)
    assert details["errors"] == {"truncated": 1}
    assert f"{details['threshold']:.3f}" == lines["threshold"]
    assert details["links"]["export"].endswith(f"/api/v1/jobs/{job}/export.csv")


def test_jobs_are_found_by_tag_and_by_words(address: str, token: str, db: Database, blobs: Blobs) -> None:
    garden, _ = (make_job(db, make_upload(db, blobs, n_files=1), name=name) for name in ("garden", "beach"))
    with db.write() as session:
        tags.set_tags(session, jobs.get_job(session, garden), ["spring"])
    for words in (["--tag", "spring"], ["--search", "GARD spring"]):
        listed = json.loads(run(address, token, *words, "--json").stdout)
        assert [job["id"] for job in listed] == [str(garden)]
    assert "There are no such jobs." in run(address, token, "--tag", "winter").output


def test_the_list_counts_what_is_probably_neither(address: str, token: str, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, {"a.jpg": draw_picture(1), "b.jpg": draw_picture(2)}))
    run_job(db, job, {"a.jpg": (0.1, 0.1), "b.jpg": (0.5, 0.45)})
    head, row = run(address, token).stdout.splitlines()
    assert row.split()[-3:] == ["2", "1", "0"]
    assert head.split()[-3:] == ["unsure", "neither?", "failed"]


def test_jobs_are_listed_by_state(address: str, token: str, db: Database, blobs: Blobs) -> None:
    ended, waiting = (make_job(db, make_upload(db, blobs, {"a.jpg": draw_picture(n)})) for n in range(2))
    run_job(db, ended)
    listed = json.loads(run(address, token, "--state", "done", "--json").stdout)
    assert [job["id"] for job in listed] == [str(ended)]
    listed = json.loads(run(address, token, "--state", "active", "--json").stdout)
    assert [job["id"] for job in listed] == [str(waiting)]
