"""Sorted zips and folders sent back: over HTTP as an archive or as a list, and from the page of a job."""

import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from core.base.config import Settings
from core.base.database import Database
from core.labels.labels import NewLabel, add_labels
from core.orm.labels import Label
from core.storage.blobs import Blobs
from tests.support.factories import (
    draw_picture,
    make_job,
    make_labelled,
    make_tar,
    make_training,
    make_upload,
    read_results,
    run_job,
)

OUTCOMES = {"p/1.jpg": (0.95, 0.01), "p/2.jpg": (0.1, 0.9), "p/3.jpg": (0.5, 0.4)}
CONTENTS = {path: draw_picture(n) for n, path in enumerate(OUTCOMES)}
MOVED = {"dog/1.jpg": CONTENTS["p/1.jpg"], "cat/3.jpg": CONTENTS["p/3.jpg"]}


@pytest.fixture
def job(client: FlaskClient, db: Database, blobs: Blobs) -> UUID:
    """A cat, a dog, one unsure."""
    job = make_job(db, make_upload(db, blobs, CONTENTS))
    run_job(db, job, OUTCOMES)
    return job


def make_zip(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return data.getvalue()


def make_list(files: Mapping[str, bytes]) -> bytes:
    lines = ({"path": path, "sha256": hashlib.sha256(data).hexdigest()} for path, data in files.items())
    return "\n".join(json.dumps(line) for line in lines).encode()


def send(client: FlaskClient, job: UUID, body: bytes, kind: str = "application/zip", status: int = 200) -> Any:
    answer = client.post(f"/api/v1/jobs/{job}/corrections", data=body, content_type=kind)
    assert answer.status_code == status, answer.json
    return answer.json


def words(db: Database, job: UUID) -> list[str | None]:
    return [row.human_label for row in read_results(db, job)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (make_zip(MOVED), "application/zip"),
        (make_tar(MOVED), "application/x-tar"),
        (make_list(MOVED), "application/jsonl"),
    ],
)
def test_an_archive_or_a_list_of_hashes_corrects(
    client: FlaskClient, db: Database, job: UUID, body: bytes, kind: str
) -> None:
    assert send(client, job, body, kind)["n_corrected"] == 2
    assert words(db, job) == ["dog", None, "cat"]


def test_a_sorted_zip_that_nobody_touched_corrects_nothing(client: FlaskClient, db: Database, job: UUID) -> None:
    found = send(client, job, client.get(f"/api/v1/jobs/{job}/export.zip").data)
    assert datetime.now(UTC) - datetime.fromisoformat(found.pop("exported_at")) < timedelta(minutes=5)
    assert found == {
        "batch": None,
        "n_corrected": 0,
        "changes": [],
        "n_replaced": 0,
        "n_newer": 0,
        "n_unmoved": 0,
        "n_confirmed": 2,
        "n_silent": 1,
        "n_unknown": 0,
        "n_ambiguous": 0,
        "unknown": [],
        "ambiguous": [],
    }
    assert words(db, job) == [None, None, None]


def test_what_was_corrected_is_taken_back_like_any_batch(client: FlaskClient, db: Database, job: UUID) -> None:
    batch = send(client, job, make_zip(MOVED))["batch"]
    assert client.post(f"/api/v1/label-batches/{batch}/undo", json={"id": str(uuid4())}).status_code == 200
    assert words(db, job) == [None, None, None]


def test_nothing_that_is_sent_is_stored(client: FlaskClient, blobs: Blobs, job: UUID) -> None:
    before = list(blobs.list("uploads/"))
    send(client, job, make_zip(MOVED))
    assert list(blobs.list("uploads/")) == before


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b"no archive", "application/zip", "not a supported archive"),
        (make_zip(MOVED)[:100], "application/zip", "is incomplete"),
        (b'{"path": "a", "sha256": "00"}', "application/jsonl", "Line 1: expected"),
        (b'{"path": "\\u0000", "sha256": 7}\n', "application/jsonl", "Line 1: expected"),
        (b"x" * 70_000, "application/jsonl", "65536 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence_and_writes_nothing(
    client: FlaskClient, db: Database, job: UUID, body: bytes, kind: str, sentence: str
) -> None:
    assert sentence in send(client, job, body, kind, 422)["detail"]
    assert words(db, job) == [None, None, None]


def test_a_training_takes_no_corrections(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    training = make_training(db, make_labelled(db, blobs))
    assert "classifies" in send(client, training, make_zip(MOVED), status=422)["detail"]


def _take(client: FlaskClient, job: UUID, moved: Mapping[str, str]) -> dict[str, bytes]:
    """The files of a sorted zip, some of which were moved to other paths."""
    with zipfile.ZipFile(io.BytesIO(client.get(f"/api/v1/jobs/{job}/export.zip").data)) as archive:
        return {moved.get(name, name): archive.read(name) for name in archive.namelist()}


def test_a_sorted_zip_knows_what_was_moved_and_leaves_newer_labels_alone(
    client: FlaskClient, db: Database, job: UUID
) -> None:
    files = _take(client, job, {"cat/p/1.jpg": "dog/p/1.jpg", "dog/p/2.jpg": "cat/p/2.jpg"})
    time.sleep(0.002)  # the clock of SQLite has milliseconds
    _, second, third = (row.image_id for row in read_results(db, job))
    with db.write() as session:
        add_labels(session, None, [NewLabel(second, "neither"), NewLabel(third, "dog")])
    dry = client.post(f"/api/v1/jobs/{job}/corrections?dry_run=1", data=make_zip(files)).json
    assert dry is not None
    assert (dry["batch"], dry["changes"]) == (None, [{"shown": "cat", "label": "dog", "n": 1}])
    assert (dry["n_newer"], dry["n_silent"], dry["n_corrected"]) == (1, 1, 1)
    assert words(db, job) == [None, "neither", "dog"]
    assert send(client, job, make_zip(files))["n_corrected"] == 1
    assert words(db, job) == ["dog", "neither", "dog"]


def test_a_list_with_the_lines_of_a_manifest_is_read_like_the_zip(client: FlaskClient, db: Database, job: UUID) -> None:
    files = _take(client, job, {"cat/p/1.jpg": "dog/p/1.jpg"})
    manifest = files.pop("pawsort-manifest.jsonl")
    found = send(client, job, manifest + make_list(files), "application/jsonl")
    assert found["exported_at"] is not None
    assert found["changes"] == [{"shown": "cat", "label": "dog", "n": 1}]


@pytest.mark.parametrize(
    "line", [b"{}", b"[1]", b'"x"', b'{"exported_at": "2026-11-30T09:00:00"}', b'{"exported_at": "now"}', b"\xff"]
)
def test_a_damaged_manifest_is_refused_with_what_to_do(
    client: FlaskClient, db: Database, job: UUID, line: bytes
) -> None:
    sentence = send(client, job, make_zip(MOVED | {"s/pawsort-manifest.jsonl": b"\n" + line}), status=422)["detail"]
    assert "pawsort-manifest.jsonl is damaged at line 1" in sentence
    assert words(db, job) == [None, None, None]


def test_a_manifest_that_is_too_large_is_refused_with_what_to_do(
    client: FlaskClient, db: Database, job: UUID, settings: Settings
) -> None:
    manifest = b"\n" * (settings.max_image_bytes + 1)
    sentence = send(client, job, make_zip(MOVED | {"s/pawsort-manifest.jsonl": manifest}), status=422)["detail"]
    assert "pawsort-manifest.jsonl is larger than" in sentence
    assert "import the folder instead" in sentence
    assert words(db, job) == [None, None, None]


def _bring(browser: FlaskClient, job: UUID, name: str, data: bytes, **fields: str) -> TestResponse:
    page = browser.get(f"/jobs/{job}/corrections").text
    sent = {key: _value(page, key) for key in ("csrf_token", "id")} | fields | {"archive": (io.BytesIO(data), name)}
    return browser.post(f"/jobs/{job}/corrections", data=sent, content_type="multipart/form-data")


def _apply(browser: FlaskClient, job: UUID, page: str) -> str:
    fields = {key: _value(page, key) for key in ("csrf_token", "batch")}
    return browser.post(f"/jobs/{job}/corrections/apply", data=fields, follow_redirects=True).text


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("name", "data"), [("sorted.zip", make_zip(MOVED)), ("list.jsonl", make_list(MOVED))], ids=["zip", "list"]
)
def test_what_a_page_brings_back_becomes_labels_and_is_taken_back(
    browser: FlaskClient, db: Database, job: UUID, name: str, data: bytes
) -> None:
    page = _bring(browser, job, name, data, n_unreadable="2").text
    assert "2 pictures would change" in page
    assert "1 cat → dog" in page
    assert "has no manifest" in page
    assert "2 files could not be read." in page
    assert words(db, job) == [None, None, None]
    page = _apply(browser, job, page)
    assert "2 pictures labelled" in page
    assert words(db, job) == ["dog", None, "cat"]
    undo = {key: _value(page, key) for key in ("csrf_token", "id", "batch")}
    answer = browser.post(f"/jobs/{job}/corrections/undo", data=undo, follow_redirects=True)
    assert "2 labels undone." in answer.text
    assert words(db, job) == [None, None, None]


def test_what_is_brought_twice_by_one_form_is_written_once(browser: FlaskClient, db: Database, job: UUID) -> None:
    same = str(uuid4())
    page = [_bring(browser, job, "sorted.zip", make_zip(MOVED), id=same).text for _ in range(2)][-1]
    for _ in range(2):
        assert "2 pictures labelled" in _apply(browser, job, page)
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Label)) == 2


@pytest.mark.parametrize(
    ("fields", "data", "status", "sentence"),
    [
        ({"csrf_token": "another"}, make_zip(MOVED), 403, "Reload the page"),
        ({"id": "none"}, make_zip(MOVED), 422, "no valid id"),
        ({}, b"no archive", 422, "not a supported archive"),
    ],
    ids=["another site", "no id", "no archive"],
)
def test_a_form_that_brings_nothing_good_writes_nothing(
    browser: FlaskClient, db: Database, job: UUID, fields: dict[str, str], data: bytes, status: int, sentence: str
) -> None:
    answer = _bring(browser, job, "sorted.zip", data, **fields)
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert words(db, job) == [None, None, None]


def test_a_number_of_files_that_is_none_is_not_shown(browser: FlaskClient, job: UUID) -> None:
    answer = _bring(browser, job, "list.jsonl", make_list(MOVED), n_unreadable="9" * 5000)
    assert answer.status_code == 200
    assert "could not be read" not in answer.text
