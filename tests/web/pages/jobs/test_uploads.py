"""What pages do with uploads: an archive in a form, read as a stream; finish with what arrived; classify again."""

import html
import io
import json
import os
import re
import tracemalloc
from itertools import chain, repeat
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.base.database import Database
from core.messaging.broker import INFERENCE
from core.operations import workers
from core.orm.jobs import Job
from core.orm.uploads import Image, Upload
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_tar, make_upload, make_version, run_job
from web.app import App
from web.http.multipart import FileForm

DATABASES = ("sqlite",)  # the services are tested on both

PICTURES = {f"pets/{n}.jpg": draw_picture(n) for n in range(3)}
FORM = "multipart/form-data; boundary=b"
PAGE = {"Accept": "text/html"}


def _csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/", headers=PAGE).text)
    assert found is not None
    return found[1]


def _send(client: FlaskClient, archive: bytes, name: str = "pets.tar", **fields: str) -> TestResponse:
    data = {**fields, "archive": (io.BytesIO(archive), name)}
    return client.post("/archives", data=data, headers=PAGE, content_type="multipart/form-data")


def _jobs(db: Database) -> list[Job]:
    with db.read() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def test_an_archive_in_a_form_ends_on_the_page_of_its_job(browser: FlaskClient, db: Database) -> None:
    answer = _send(browser, make_tar(PICTURES), "my pets.tar.gz", csrf_token=_csrf(browser))
    [job] = _jobs(db)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job.uuid}")
    assert (job.name, job.state, job.n_total) == ("my pets", "queued", 3)
    with db.read() as session:
        assert session.scalars(select(Image.path).order_by(Image.ordinal)).all() == list(PICTURES)


@pytest.mark.parametrize("ticked", [True, False])
def test_the_form_says_whether_the_originals_are_discarded(browser: FlaskClient, db: Database, ticked: bool) -> None:
    page = browser.get("/", headers=PAGE).text
    form = page[page.index('action="/archives"') : page.index('name="archive"')]  # fields behind the file are not read
    assert 'type="checkbox" name="discard_originals" value="true"' in form
    fields = {"discard_originals": "true"} if ticked else {}
    _send(browser, make_tar(PICTURES), csrf_token=_csrf(browser), **fields)
    with db.read() as session:
        assert session.scalar(select(Upload.discards)) is ticked


@pytest.mark.parametrize("sent", [{}, {"csrf_token": "of somebody else"}], ids=["none", "wrong"])
def test_a_form_of_another_site_sends_nothing(browser: FlaskClient, db: Database, sent: dict[str, str]) -> None:
    answer = _send(browser, make_tar(PICTURES), **sent)
    assert answer.status_code == 403
    assert "Reload the page and try again." in answer.text
    assert _jobs(db) == []


def test_a_token_that_stands_behind_the_file_is_none(browser: FlaskClient, db: Database) -> None:
    part = b"--b\r\nContent-Disposition: form-data; name="
    body = part + b'"archive"; filename="pets.tar"\r\n\r\n' + make_tar(PICTURES) + b"\r\n"
    body += part + b'"csrf_token"\r\n\r\n' + _csrf(browser).encode() + b"\r\n--b--\r\n"
    answer = browser.post("/archives", data=body, headers=PAGE, content_type=FORM)
    assert answer.status_code == 403
    assert _jobs(db) == []


def test_whoever_is_not_logged_in_sends_nothing(stranger: FlaskClient, db: Database) -> None:
    assert _send(stranger, make_tar(PICTURES)).status_code == 401
    assert _jobs(db) == []


@pytest.mark.parametrize(
    ("archive", "name", "sentence"),
    [
        (b"", "", "No file was chosen."),
        (b"no archive at all", "pets.zip", "This is not a supported archive."),
        (make_tar(PICTURES)[:1500], "pets.tar", "is missing. Send it again."),
    ],
    ids=["no file", "no archive", "cut off"],
)
def test_what_cannot_be_read_gets_a_page_that_says_so(
    browser: FlaskClient, archive: bytes, name: str, sentence: str
) -> None:
    answer = _send(browser, archive, name, csrf_token=_csrf(browser))
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert sentence in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + b"a" * 200_000, b"\0" * 5000]
)
def test_a_form_that_is_none_is_refused(browser: FlaskClient, body: bytes) -> None:
    answer = browser.post("/archives", data=body, headers=PAGE, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 422
    assert browser.post("/archives", data={"a": "b"}, headers=PAGE).status_code == 422


def test_a_large_form_is_never_held_in_memory(app: App) -> None:
    part = b"--b\r\nContent-Disposition: form-data; name="
    head = part + b'"csrf_token"\r\n\r\nabc\r\n' + part + b'"archive"; filename="a.tar"\r\n\r\n'
    piece = os.urandom(2**16)  # with line ends in it
    pieces = chain([head], repeat(piece, 1000), [b"\r\n--b--\r\n"])
    with app.test_request_context("/archives", method="POST", environ_overrides={"CONTENT_TYPE": FORM}):
        tracemalloc.start()
        form = FileForm(lambda _: next(pieces, b""))
        n_bytes = sum(len(one) for one in iter(lambda: form.read(2**15), b""))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (form.fields, form.file_name) == ({"csrf_token": "abc"}, "a.tar")
    assert n_bytes == 1000 * len(piece)
    assert peak < 2**20


def test_an_upload_is_finished_with_what_arrived(browser: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=3, is_complete=False)
    job = make_job(db, upload)
    run_job(db, job)
    for _ in range(2):
        answer = browser.post(f"/jobs/{job}/finish", data={"csrf_token": _csrf(browser)})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job}")
    with db.read() as session:
        assert session.scalar(select(Upload.state)) == "complete"
    assert _jobs(db)[0].state == "done"


def test_pictures_are_classified_again_with_another_version_once(
    browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job, other = make_job(db, make_upload(db, blobs), name="zoo"), make_version(db, "efficientnet-lite0")
    page = browser.get(f"/jobs/{job}/again", headers=PAGE).text
    new_id = re.search(r'name="id" value="([^"]+)"', page)
    assert new_id is not None
    form = {"csrf_token": _csrf(browser), "id": new_id[1], "model": str(other), "name": ""}
    for _ in range(2):
        answer = browser.post(f"/jobs/{job}/again", data=form)
        assert answer.headers["Location"] == f"/jobs/{new_id[1]}"
    first, second = _jobs(db)
    assert second.uuid == UUID(new_id[1])
    assert (second.name, second.upload_id, second.model_version_id) == ("zoo", first.upload_id, other)


def test_what_is_no_job_over_pictures_cannot_be_classified_again(browser: FlaskClient) -> None:
    assert browser.get(f"/jobs/{uuid4()}/again", headers=PAGE).status_code == 404


def test_a_trial_of_the_connection_keeps_nothing_and_has_a_limit(browser: FlaskClient, db: Database) -> None:
    headers = {"X-CSRF-Token": _csrf(browser)}
    answer = browser.post("/trial", data=b"a" * 2**20, headers=headers)
    assert (answer.status_code, answer.data) == (204, b"")
    assert browser.post("/trial", data=b"a" * (2**22 + 1), headers=headers).status_code == 413
    assert browser.post("/trial", data=b"a").status_code == 403
    assert _jobs(db) == []


def _paces(client: FlaskClient) -> Any:
    found = re.search(r"data-options='([^']+)'", client.get("/", headers=PAGE).text)
    assert found is not None
    return json.loads(html.unescape(found[1]))["paces"]


def test_how_fast_a_version_sorts_is_guessed_until_a_job_has_shown_it(
    browser: FlaskClient, db: Database, blobs: Blobs
) -> None:
    make_version(db, "efficientnet-lite0")
    guessed = _paces(browser)
    assert guessed == {"1": {"imagesPerS": 750, "isMeasured": False}, "2": {"imagesPerS": 110, "isMeasured": False}}
    with db.write() as session:
        for pid in range(2):
            workers.add_worker(session, pid, INFERENCE, "cpu", {})
    assert _paces(browser)["1"]["imagesPerS"] == 1500
    run_job(db, make_job(db, make_upload(db, blobs, n_files=100)))
    measured = _paces(browser)
    assert measured["1"]["isMeasured"]
    assert not measured["2"]["isMeasured"]
