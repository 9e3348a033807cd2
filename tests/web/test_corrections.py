"""Sorted zips and folders sent back: over HTTP as an archive or as a list, and from the page of a job."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from core.blobs import Blobs
from core.db import Database
from tests.factories import (
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
    assert found == {
        "batch": None,
        "n_corrected": 0,
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
        (b"no archive", "application/zip", "not an archive"),
        (make_zip(MOVED)[:100], "application/zip", "ends too early"),
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
