"""Model versions over HTTP: looked at, put into use, taken back."""

import hashlib
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.models import registry
from core.storage.blobs import Blobs
from tests.support.evaluated_versions import judge, make_judged, right, wrong_at_first
from tests.support.factories import make_manifest, make_upload, make_version

DIGEST = hashlib.sha256(b"weights").hexdigest()
FIRST_KEY = registry.weights_key(make_manifest()["digest"])


@pytest.fixture
def other(app: object, db: Database, blobs: Blobs) -> int:
    """A second version; both have weights."""
    blobs.put(FIRST_KEY, b"seed-cnn")
    blobs.put(registry.weights_key(DIGEST), b"weights")
    return make_version(db, "another", weights=b"weights")


def in_use(client: FlaskClient) -> list[int]:
    body = client.get("/api/v1/models").json
    assert body is not None
    return [one["version"] for one in body["items"] if one["in_use"]]


def test_a_version_is_compared_with_the_one_in_use_before_it_is_promoted(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    contents = make_judged(db, blobs)
    judge(db, 1, contents, right)
    judge(db, other, contents, wrong_at_first)
    check = client.get(f"/api/v1/models/{other}/promotion").json
    assert (check["in_use"], check["n_images"], check["is_better"]) == (1, len(contents), False)
    assert check["accuracy_in_use"] - check["accuracy"] == pytest.approx(3 / len(contents))
    assert "It is worse on these pictures." in check["warning"]
    itself = client.get("/api/v1/models/1/promotion").json
    assert (itself["in_use"], itself["accuracy"], itself["warning"]) == (None, None, None)


def test_the_next_job_gets_the_promoted_version(client: FlaskClient, db: Database, blobs: Blobs, other: int) -> None:
    upload, before, after = make_upload(db, blobs), uuid4(), uuid4()
    client.put(f"/api/v1/jobs/{before}", json={"upload": str(upload)})
    answer = client.post(f"/api/v1/models/{other}/promote")
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["version"], answer.json["reason"]) == (other, "promoted")
    assert "were not evaluated on the same pictures" in answer.json["warning"]
    client.put(f"/api/v1/jobs/{after}", json={"upload": str(upload)})
    jobs = [client.get(f"/api/v1/jobs/{job}").json for job in (before, after)]
    assert [job["model"] for job in jobs if job] == [1, other]


def test_a_roll_back_puts_back_the_version_before(client: FlaskClient, other: int) -> None:
    client.post(f"/api/v1/models/{other}/promote")
    assert in_use(client) == [other]
    answer = client.post("/api/v1/models/rollback", json={"in_use": other})
    assert answer.status_code == 200
    assert in_use(client) == [1]
    again = client.post("/api/v1/models/rollback", json={"in_use": other})
    assert again.status_code == 409
    assert in_use(client) == [1]
    history = client.get("/api/v1/deployments").json
    assert history is not None
    assert [(one["version"], one["reason"]) for one in history["items"]] == [
        (1, "rolled back"),
        (other, "promoted"),
        (1, "first start"),
    ]


def test_a_roll_back_from_the_first_version_gets_a_sentence(client: FlaskClient) -> None:
    answer = client.post("/api/v1/models/rollback")
    assert answer.status_code == 409
    assert answer.json is not None
    assert "nothing to roll back to" in answer.json["detail"]


def test_a_version_without_its_weights_is_not_put_into_use(
    client: FlaskClient, db: Database, blobs: Blobs, other: int
) -> None:
    empty = make_version(db, "a third")
    missing = client.post(f"/api/v1/models/{empty}/promote")
    assert missing.status_code == 409
    assert missing.json is not None
    assert f"version {empty} are missing" in missing.json["detail"]
    blobs.put(registry.weights_key(DIGEST), b"changed")
    damaged = client.post(f"/api/v1/models/{other}/promote")
    assert damaged.status_code == 409
    assert damaged.json is not None
    assert "digest" in damaged.json["detail"]
    assert in_use(client) == [1]


def test_a_roll_back_to_a_version_without_its_weights_gets_a_sentence(
    client: FlaskClient, blobs: Blobs, other: int
) -> None:
    client.post(f"/api/v1/models/{other}/promote")
    blobs.delete([FIRST_KEY])
    answer = client.post("/api/v1/models/rollback", json={"in_use": other})
    assert answer.status_code == 409
    assert answer.json is not None
    assert "version 1 are missing" in answer.json["detail"]
    assert in_use(client) == [other]


def test_a_candidate_is_deleted_and_gone(client: FlaskClient, other: int) -> None:
    assert client.delete(f"/api/v1/models/{other}").status_code == 202
    assert client.get(f"/api/v1/models/{other}").status_code == 410
    assert client.delete(f"/api/v1/models/{other}").status_code == 410


def test_a_version_that_is_needed_is_not_deleted(client: FlaskClient, db: Database, other: int) -> None:
    in_use = client.delete("/api/v1/models/1")
    assert in_use.status_code == 409
    assert in_use.json is not None
    assert "Promote another one or roll back first" in in_use.json["detail"]
    with db.write() as session:
        version = registry.get_version(session, other)
        version.manifest = {**version.manifest, "who": registry.SHIPPED}
    shipped = client.delete(f"/api/v1/models/{other}")
    assert shipped.status_code == 409
    assert shipped.json is not None
    assert "is part of Pawsort" in shipped.json["detail"]


def test_one_version_is_shown_with_its_manifest(client: FlaskClient) -> None:
    body = client.get("/api/v1/models/1").json
    assert body is not None
    assert (body["network"], body["in_use"], body["manifest"]["threshold"]) == ("seed-cnn", True, 0.8)
    assert client.get("/api/v1/models/7").status_code == 404
