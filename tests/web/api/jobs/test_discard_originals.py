"""Discarded originals over HTTP and on pages: asked for, said, and what still works."""

import re
from html import unescape
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.base.errors import ErrorCode
from core.cleanup import discard_originals
from core.storage.blobs import Blobs
from tests.support.decoders import shared_pool
from tests.support.factories import draw_picture, make_tar, read_results, run_job

DATABASES = ("sqlite",)
FILES = {"zoo/tiger.jpg": draw_picture(1, (900, 600)), "zoo/bad.jpg": b"no picture"}


@pytest.fixture
def job(client: FlaskClient, db: Database) -> UUID:
    """Sent with the wish, and classified."""
    sent = client.post("/api/v1/archives?name=zoo&discard_originals=true", data=make_tar(FILES))
    assert sent.status_code == 202, sent.text
    job = UUID(sent.json["id"])  # type: ignore[index]
    run_job(db, job, {"zoo/bad.jpg": ErrorCode.NOT_AN_IMAGE})
    return job


@pytest.fixture
def discarded(db: Database, blobs: Blobs, job: UUID) -> UUID:
    assert discard_originals.mark_ready(db) == 1
    assert discard_originals.remove_originals(db, blobs, shared_pool()) == 1
    return job


def image_of(db: Database, job: UUID, n: int = 0) -> int:
    return read_results(db, job)[n].image_id


def state_of(client: FlaskClient, job: UUID) -> str:
    said: str = client.get(f"/api/v1/uploads/{job}").json["originals"]  # type: ignore[index]
    return said


def test_the_upload_says_how_far_its_originals_are(client: FlaskClient, db: Database, blobs: Blobs, job: UUID) -> None:
    assert state_of(client, job) == "to be discarded"
    assert "will be discarded when all pictures are sorted" in client.get(f"/jobs/{job}").text
    discard_originals.mark_ready(db)
    assert state_of(client, job) == "being discarded"
    discard_originals.remove_originals(db, blobs, shared_pool())
    assert state_of(client, job) == "discarded"
    assert client.get(f"/api/v1/jobs/{job}").json["originals_discarded_at"]  # type: ignore[index]


def test_an_upload_is_created_with_the_wish(client: FlaskClient) -> None:
    uuid = uuid4()
    answer = client.put(f"/api/v1/uploads/{uuid}", json={"discard_originals": True})
    assert answer.json["originals"] == "to be discarded"  # type: ignore[index]
    both = client.put(f"/api/v1/uploads/{uuid4()}", json={"discard_originals": True, "labelled": True})
    assert (both.status_code, "pictures that are kept" in both.json["detail"]) == (422, True)  # type: ignore[index]


def test_thumbnails_tables_and_the_report_stay(client: FlaskClient, db: Database, discarded: UUID) -> None:
    for size in (128, 256, 512, 1024):
        picture = client.get(f"/api/v1/images/{image_of(db, discarded)}/thumbnail?size={size}")
        assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    for kind in ("csv", "jsonl", "parquet"):
        assert client.get(f"/api/v1/jobs/{discarded}/export.{kind}").status_code == 200
    assert "data:image/jpeg;base64," in client.get(f"/api/v1/jobs/{discarded}/report.html").text


@pytest.mark.parametrize("what", ["zip", "original", "retry", "again"])
def test_what_needs_originals_says_that_they_are_gone(
    client: FlaskClient, db: Database, discarded: UUID, what: str
) -> None:
    answer = {
        "zip": lambda: client.get(f"/api/v1/jobs/{discarded}/export.zip"),
        "original": lambda: client.get(f"/api/v1/images/{image_of(db, discarded)}/original"),
        "retry": lambda: client.post(f"/api/v1/jobs/{discarded}/retry"),
        "again": lambda: client.put(f"/api/v1/jobs/{uuid4()}", json={"upload": str(discarded)}),
    }[what]()
    assert answer.status_code in (409, 410)
    assert re.search(r"original.* (was|were) discarded", answer.json["detail"])  # type: ignore[index]


def test_pages_offer_nothing_that_needs_originals(client: FlaskClient, db: Database, discarded: UUID) -> None:
    page = unescape(client.get(f"/jobs/{discarded}").text)
    assert "The originals were discarded" in page
    assert "Pictures (ZIP)" not in page
    assert f"pawsort sort {discarded}" in page
    picture = client.get(f"/jobs/{discarded}/images/{image_of(db, discarded)}").text
    assert "Download the original" not in picture
    assert "The original was discarded" in picture
    failed = client.get(f"/jobs/{discarded}/failed").text
    assert "can’t be retried" in failed
    assert "again</button>" not in re.sub(r"<form[^>]*hidden.*?</form>", "", failed)


def test_a_picture_discarded_while_it_is_looked_for_is_shown(
    client: FlaskClient, db: Database, blobs: Blobs, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_range = Blobs.get_range
    image = image_of(db, job)

    def meanwhile(self: Blobs, key: str, offset: int, n_bytes: int) -> bytes:
        monkeypatch.setattr(Blobs, "get_range", get_range)
        discard_originals.mark_ready(db)
        discard_originals.remove_originals(db, blobs, shared_pool())
        return get_range(self, key, offset, n_bytes)

    monkeypatch.setattr(Blobs, "get_range", meanwhile)
    assert client.get(f"/api/v1/images/{image}/thumbnail").status_code == 200


def test_an_upload_without_the_wish_is_kept(client: FlaskClient, db: Database) -> None:
    sent = client.post("/api/v1/archives?name=zoo", data=make_tar(FILES))
    run_job(db, UUID(sent.json["id"]))  # type: ignore[index]
    assert discard_originals.mark_ready(db) == 0
    assert state_of(client, UUID(sent.json["id"])) == "kept"  # type: ignore[index]
