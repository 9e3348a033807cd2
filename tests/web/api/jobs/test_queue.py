"""Pausing, priorities and retries in bulk, over HTTP and from pages."""

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.jobs import job_states, jobs
from core.storage.blobs import Blobs
from tests.support.factories import make_job, make_upload

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("app")


def test_a_job_is_paused_resumed_and_goes_first(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    address = f"/api/v1/jobs/{make_job(db, make_upload(db, blobs))}"
    assert client.post(f"{address}/pause").get_json()["paused"] == "job"
    assert client.post(f"{address}/resume").get_json()["paused"] is None
    first = client.put(f"{address}/priority", json={"priority": "first"})
    assert first.get_json()["priority"] == "first"
    assert client.put(f"{address}/priority", json={"priority": "urgent"}).status_code == 422


def test_everything_is_paused_and_resumed(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    address = f"/api/v1/jobs/{make_job(db, make_upload(db, blobs))}"
    assert client.put("/api/v1/pause").get_json()["paused_since"] is not None
    assert client.get(address).get_json()["paused"] == "everything"
    assert client.delete("/api/v1/pause").status_code == 204
    assert client.get("/api/v1/pause").get_json()["paused_since"] is None


def test_all_failed_jobs_are_retried_in_one_call(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    uuids = [make_job(db, make_upload(db, blobs)) for _ in range(2)]
    with db.write() as session:
        for uuid in uuids:
            job_states.fail_job(session, jobs.get_job(session, uuid).id, "it failed")
    answer = client.post("/api/v1/jobs/retry", json={}).get_json()
    assert (answer["retried"], answer["refused"]) == ([str(uuid) for uuid in uuids], [])
    refused = client.post("/api/v1/jobs/retry", json={"jobs": [str(uuids[0])]}).get_json()["refused"]
    assert "is running" in refused[0]["reason"]


def test_pages_pause_and_resume(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    uuid = make_job(db, make_upload(db, blobs))
    client.post(f"/jobs/{uuid}/pause")
    assert 'data-state="paused"' in client.get(f"/jobs/{uuid}").get_data(as_text=True)
    client.post(f"/jobs/{uuid}/resume")
    client.post(f"/jobs/{uuid}/priority", data={"priority": "first"})
    page = client.get(f"/jobs/{uuid}").get_data(as_text=True)
    assert "No longer first" in page
    assert 'data-state="paused"' not in page
    client.post("/system/pause")
    assert "Everything is paused" in client.get("/system").get_data(as_text=True)
    client.post("/system/resume")
    assert "Everything is paused" not in client.get("/system").get_data(as_text=True)
    with db.write() as session:
        job_states.fail_job(session, jobs.get_job(session, uuid).id, "it failed")
    client.post("/system/retry")
    assert client.get(f"/api/v1/jobs/{uuid}").get_json()["state"] == "running"
