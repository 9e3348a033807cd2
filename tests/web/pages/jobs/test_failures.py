"""Failed files: their page by reason, trying them again, the list to take away."""

import csv
import io
import re
from html import unescape
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from core.base.database import Database
from core.base.errors import ErrorCode, ImageWarning
from core.orm.results import Result
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_labelled, make_training, make_upload, run_job

DATABASES = ("sqlite",)
SAID: dict[str, tuple[float, float] | ErrorCode] = {
    "zoo/tiger.jpg": (0.95, 0.03),
    "zoo/half.jpg": ErrorCode.TRUNCATED,
    "zoo/third.jpg": ErrorCode.TRUNCATED,
    "zoo/slow.tif": ErrorCode.DECODE_TIMEOUT,
}


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, files={path: draw_picture(n) for n, path in enumerate(SAID)}, name="zoo"))
    run_job(db, job, SAID)
    return job


def files_on(client: FlaskClient, address: str) -> list[str]:
    page = client.get(address)
    assert page.status_code == 200
    return re.findall(r"<tr><td><strong><bdi>(.*?)</bdi></strong>", page.text)


def test_each_reason_is_named_with_how_many_files_it_concerns(client: FlaskClient, job: UUID) -> None:
    page = unescape(client.get(f"/jobs/{job}/failed").text)
    reasons = re.findall(r"<strong>(\d+ files?):</strong> (.*?) <span", page)
    assert reasons == [("2 files", ErrorCode.TRUNCATED.sentence), ("1 file", ErrorCode.DECODE_TIMEOUT.sentence)]
    assert files_on(client, f"/jobs/{job}/failed") == ["zoo/half.jpg", "zoo/third.jpg", "zoo/slow.tif"]


def test_videos_and_documents_among_the_failed_are_called_what_they_are(
    client: FlaskClient, db: Database, job: UUID
) -> None:
    with db.write() as session:
        failed = session.scalars(select(Result).where(Result.error_code.is_not(None)).order_by(Result.image_id)).all()
        for result, kind in zip(failed, ("MP4 video", "PDF document", "MP4 video"), strict=True):
            result.error_code, result.error_detail = ErrorCode.NOT_AN_IMAGE, kind
    page = unescape(client.get(f"/jobs/{job}/failed").text)
    assert "2 MP4 videos, 1 PDF document." in page
    assert "Documents can't be sorted. Save its pages as JPEG or PNG and upload those." in page


def test_pictures_that_are_only_partly_readable_are_named_where_they_are_shown(
    client: FlaskClient, db: Database, job: UUID
) -> None:
    sentence = ImageWarning.PARTLY_READABLE.sentence
    assert "partly" not in client.get(f"/jobs/{job}").text.split("<template")[0]
    with db.write() as session:
        image_id = session.scalars(select(Result.image_id).where(Result.error_code.is_(None))).one()
        session.execute(update(Result).where(Result.image_id == image_id).values(warning=ImageWarning.PARTLY_READABLE))
    assert sentence in unescape(client.get(f"/jobs/{job}/failed").text)
    assert sentence in unescape(client.get(f"/jobs/{job}/images/{image_id}").text)
    page = client.get(f"/jobs/{job}").text
    assert "1 picture could be read only in part, and is labelled by the rest" in page
    assert "only partly readable" in page
    items = client.get(f"/api/v1/jobs/{job}/results?warning=partly_readable").json["items"]  # type: ignore[index]
    assert [(item["image_id"], item["warning"]) for item in items] == [(image_id, "partly_readable")]


def test_files_of_one_reason_are_shown_alone(client: FlaskClient, job: UUID) -> None:
    page = unescape(client.get(f"/jobs/{job}/failed").text)
    links = re.findall(r'href="(/jobs/[^"#]*error_code=[^"#]*)', page)
    assert [files_on(client, link) for link in links] == [["zoo/half.jpg", "zoo/third.jpg"], ["zoo/slow.tif"]]
    assert client.get(f"/jobs/{job}/failed?error_code=nonsense").status_code == 422


@pytest.mark.parametrize(("code", "n"), [("any", 3), ("truncated", 2), ("empty_file", 0)])
def test_the_list_can_be_taken_away(client: FlaskClient, job: UUID, code: str, n: int) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.csv?error_code={code}")
    assert 'filename="zoo failed.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == n
    assert all(row["error"] for row in rows)
    assert len(client.get(f"/api/v1/jobs/{job}/export.jsonl?error_code={code}").text.splitlines()) == n


def test_trying_again_leaves_what_was_sorted_alone(client: FlaskClient, db: Database, job: UUID) -> None:
    page = client.get(f"/jobs/{job}/failed").text
    assert "Retry failed files" in page
    assert client.post(f"/jobs/{job}/retry").status_code == 303
    run_job(db, job)
    counts = client.get(f"/api/v1/jobs/{job}").json["counts"]  # type: ignore[index]
    assert (counts["done"], counts["failed"]) == (4, 0)
    assert "None: every file has a label." in client.get(f"/jobs/{job}/failed").text


def test_a_training_has_no_failed_files(client: FlaskClient, app: object, db: Database, blobs: Blobs) -> None:
    training = make_training(db, make_labelled(db, blobs))
    assert client.get(f"/jobs/{training}/failed").status_code == 303
