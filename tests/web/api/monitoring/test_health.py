"""What those who watch see, the description of the API, and what the web imports."""

import re
import subprocess
import sys
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from core.base.database import Database
from core.operations import workers
from core.storage.blobs import Blobs
from tests.support.factories import make_upload
from tests.support.paths import ROOT
from web.app import App, create_app


def test_ready_needs_an_inference_worker(stranger: FlaskClient, db: Database) -> None:
    before = stranger.get("/readyz")
    assert before.status_code == 503
    assert before.json is not None
    assert before.json["checks"]["database"] == "ok"
    assert "pawsort up" in before.json["checks"]["inference_worker"]
    with db.write() as session:
        workers.add_worker(session, 1, "inference", "gpu: NVIDIA L4", {})
    stranger.application.extensions["pawsort"].answers.clear()
    after = stranger.get("/readyz")
    assert after.status_code == 200
    assert after.json is not None
    assert after.json["devices"] == {"inference": ["gpu: NVIDIA L4"]}
    assert set(after.json["checks"].values()) == {"ok"}


def test_a_dead_broker_makes_it_unready_but_fails_no_request(
    settings: Settings, app: App, db: Database, blobs: Blobs, headers: dict[str, str]
) -> None:
    lonely = create_app(settings.model_copy(update={"redis_url": f"unix://{settings.data_dir}/nobody"}))
    client = lonely.test_client()
    ready = client.get("/readyz")
    body = {"upload": str(make_upload(db, blobs))}
    job = client.put(f"/api/v1/jobs/{uuid4()}", json=body, headers=headers)
    lonely.extensions["pawsort"].db.close()
    assert ready.status_code == 503
    assert ready.json is not None
    assert "does not respond" in ready.json["checks"]["broker"]
    assert job.status_code == 201


def test_every_call_of_the_contract_is_described(app: App, stranger: FlaskClient) -> None:
    spec = stranger.get("/openapi.json").json
    assert spec is not None
    assert spec["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, methods in spec["paths"].items() for method in methods}
    served = {
        (method, re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served <= described


def test_every_reference_of_the_description_resolves(stranger: FlaskClient) -> None:
    answer = stranger.get("/openapi.json")
    assert answer.json is not None
    known = answer.json["components"]["schemas"]
    tags = [tag["name"] for tag in answer.json["tags"]]
    assert len(tags) == len(set(tags))
    references = set(re.findall(r"#/components/schemas/([\w.]+)", answer.text))
    assert references <= set(known)


@pytest.mark.parametrize("path", ["/docs", "/login", "/", "/system"])
def test_no_page_loads_anything_from_elsewhere_or_inline(client: FlaskClient, path: str) -> None:
    text = client.get(path).text
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", text)


def test_the_description_for_people_names_every_call(stranger: FlaskClient) -> None:
    text = stranger.get("/docs").text
    assert "PUT /api/v1/uploads/{upload_uuid}/shards/{seq}" in text
    assert "<code>PAWSORT.size</code>" in text
    assert "`" not in text


def test_the_web_starts_without_tensorflow_model_or_worker() -> None:
    code = (
        "import sys, web.app\n"
        "bad = [n for n in sys.modules if n.split('.')[0] in ('tensorflow', 'keras', 'model', 'worker')]\n"
        "print(bad)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "[]"
