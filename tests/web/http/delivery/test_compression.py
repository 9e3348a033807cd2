"""What goes out compressed, and what does not."""

import gzip

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload

PATHS = ["/static/style.css", "/static/shared/server/http.js", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_text_goes_out_compressed_to_those_who_accept_it(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == client.get(path).data


def test_a_page_with_its_csrf_token_is_never_compressed(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "csrf" in answer.text
    assert "Content-Encoding" not in answer.headers


def test_caches_are_told_that_the_answer_depends_on_what_the_client_accepts(client: FlaskClient) -> None:
    assert "Accept-Encoding" in client.get("/openapi.json").headers["Vary"]


def test_a_poll_of_a_compressed_answer_is_304_until_something_changes(
    client: FlaskClient, db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client.application.config, "COMPRESS_MIN_SIZE", 0)
    url, accepted = f"/api/v1/jobs/{make_job(db, make_upload(db, blobs))}", {"Accept-Encoding": "gzip"}
    first = client.get(url, headers=accepted)
    assert first.headers["Content-Encoding"] == "gzip"
    again = client.get(url, headers={"If-None-Match": first.headers["ETag"], **accepted})
    assert again.status_code == 304
