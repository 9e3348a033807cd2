"""Names, tags, and several jobs at once, from the list, without JavaScript."""

import csv
import io
import re
import zipfile
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.base.database import Database
from core.jobs import jobs
from core.jobs.listing import tags
from core.orm.jobs import Job
from core.orm.uploads import Upload
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_labelled, make_training, make_upload, run_job

PAGE = {"Accept": "text/html"}


@pytest.fixture
def made(app: object, db: Database, blobs: Blobs) -> list[UUID]:
    """Two jobs over one upload of four pictures, the first done, and a training."""
    upload = make_upload(db, blobs)
    both = [make_job(db, upload, name="a/b"), make_job(db, upload, name="a/b")]
    run_job(db, both[0])
    return [*both, make_training(db, make_labelled(db, blobs))]


def _post(browser: FlaskClient, path: str, **form: object):  # type: ignore[no-untyped-def]
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/", headers=PAGE).text)
    assert csrf is not None
    return browser.post(path, data={"csrf_token": csrf[1], **form}, headers=PAGE)


def _left(db: Database) -> list[UUID]:
    with db.read() as session:
        return list(session.scalars(select(Job.uuid).where(Job.deleted_at.is_(None)).order_by(Job.id)))


def test_a_job_is_renamed_and_tagged_and_the_list_shows_and_filters_both(
    browser: FlaskClient, db: Database, made: list[UUID]
) -> None:
    answer = _post(browser, f"/jobs/{made[0]}/edit", name=" Beach ", tags="Sea, , summer 26 ", back="/?name=beach")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?name=beach")
    page = browser.get("/?tag=summer+26", headers=PAGE).text
    assert re.findall(r'class="job__name"[^>]*><bdi>([^<]+)<', page) == ["Beach"]
    assert re.findall(r'class="tag" href="[^"]+">([^<]+)<', page) == ["sea", "summer 26"]
    assert 'value="sea, summer 26"' in browser.get(f"/jobs/{made[0]}/edit", headers=PAGE).text


def test_a_name_that_is_none_is_refused_with_what_was_typed(
    browser: FlaskClient, db: Database, made: list[UUID]
) -> None:
    answer = _post(browser, f"/jobs/{made[0]}/edit", name=" ", tags="typed")
    assert answer.status_code == 422
    assert "Nothing was saved. name: expected 1 to 500 characters, got 0." in answer.text
    assert 'value="typed"' in answer.text
    with db.read() as session:
        assert jobs.get_job(session, made[0]).name == "a/b"
        assert tags.list_tags(session) == []


def test_selected_jobs_are_tagged_together(browser: FlaskClient, db: Database, made: list[UUID]) -> None:
    _post(browser, "/jobs/selected/tag", job=[str(made[0]), str(made[2])], tag="Sea")
    with db.read() as session:
        found = tags.find_tags(session, [jobs.get_job(session, uuid).id for uuid in made])
    assert list(found.values()) == [("sea",), ("sea",)]
    _post(browser, "/jobs/selected/tag", job=[str(made[0])], tag="sea", do="remove")
    assert re.findall(r'class="job__name"[^>]*><bdi>([^<]+)<', browser.get("/?tag=sea", headers=PAGE).text) == ["pets"]


def test_the_tables_of_selected_jobs_come_in_one_zip(browser: FlaskClient, made: list[UUID]) -> None:
    answer = _post(browser, "/jobs/selected/export", job=[str(uuid) for uuid in made])
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.namelist() == ["a_b.csv", "a_b-partial.csv"]
    whole, partial = (
        list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))) for name in archive.namelist()
    )
    assert ([row["label"] for row in whole], partial) == (["cat"] * 4, [])


def test_a_selection_without_a_table_says_so(browser: FlaskClient, made: list[UUID]) -> None:
    answer = _post(browser, "/jobs/selected/export", job=str(made[2]))
    assert answer.status_code == 422
    assert "None of the selected jobs has a table." in answer.text


def test_deleting_several_asks_once_with_the_numbers(browser: FlaskClient, db: Database, made: list[UUID]) -> None:
    one = _post(browser, "/jobs/selected/delete", job=str(made[0]))
    assert "Delete 1 job?" in one.text
    assert "uploaded picture" not in one.text  # the other job needs them
    assert "(training)" in _post(browser, "/jobs/selected/delete", job=str(made[2])).text
    both = [str(uuid) for uuid in made[:2]]
    asked = _post(browser, "/jobs/selected/delete", job=both, back="/?sort=name")
    assert asked.status_code == 200
    assert "Delete 2 jobs?" in asked.text
    assert "4 uploaded pictures" in asked.text
    assert _left(db) == made
    done = _post(browser, "/jobs/selected/delete", job=both, back="/?sort=name", confirmed="1")
    assert (done.status_code, done.headers["Location"]) == (303, "/?sort=name")
    assert _left(db) == made[2:]
    with db.read() as session:
        assert session.scalars(select(Upload.name).where(Upload.deleted_at.is_not(None))).all() == ["photos"]


@pytest.mark.parametrize("selected", [[], ["nonsense"], ["00000000-0000-4000-8000-000000000000"]])
def test_an_empty_selection_changes_nothing(
    browser: FlaskClient, db: Database, made: list[UUID], selected: list[str]
) -> None:
    answer = _post(browser, "/jobs/selected/delete", job=selected, confirmed="1")
    assert answer.status_code == 422
    assert "Select at least one job" in answer.text
    assert _left(db) == made
