"""From day to day with real photographs, all of it by HTTP: sort, correct, sample, retrain, and what the gate says."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from core.base.states import RunState
from core.jobs import jobs
from core.labels.labels import label_of_path
from core.storage.blobs import Blobs
from tests.scenarios.test_day import RealRuntime
from tests.scenarios.test_day import runtime as runtime
from tests.support.factories import make_tar
from tests.support.inference import sort_all
from tests.support.pictures import test_data
from tests.worker.schedules.test_retrain import in_use, work
from worker.training import train_network

DATABASES = ("sqlite",)
EACH_OF_MORE = 500


def photographs(folder: str, n_each: int) -> dict[str, bytes]:
    """So many of each class, by path."""
    root = test_data() / "dogs-vs-cats" / folder
    chosen: list[Path] = [path for kind in ("cats", "dogs") for path in sorted((root / kind).iterdir())[:n_each]]
    return {f"{folder}/{path.parent.name}/{path.name}": path.read_bytes() for path in chosen}


def ask(client: FlaskClient, method: str, path: str, **given: Any) -> Any:
    answer = client.open(f"/api/v1{path}", method=method, **given)
    assert answer.status_code < 300, answer.text
    return answer.json


def results_of(client: FlaskClient, job: str, more: str = "") -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = ask(client, "GET", f"/jobs/{job}/results?limit=500{more}{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def sort_to_the_end(runtime: RealRuntime, client: FlaskClient, job: str) -> None:
    """What inference workers do with a job."""
    sort_all(runtime)
    assert ask(client, "GET", f"/jobs/{job}")["state"] == "done"


def correct_all(client: FlaskClient, job: str) -> int:
    """Say of every picture that is called wrong, or left unsure, what it shows; how many those were."""
    wrong = [one for one in results_of(client, job) if one["label"] != label_of_path(one["path"])]
    items = [{"image_id": one["image_id"], "label": label_of_path(one["path"])} for one in wrong]
    return int(ask(client, "POST", "/labels", json={"items": items})["n_labels"])


def audit(client: FlaskClient, job: str) -> None:
    """Draw a sample and judge all of it."""
    sample = ask(client, "POST", f"/jobs/{job}/audits", json={"size": 200})["id"]
    shows = {one["image_id"]: label_of_path(one["path"]) for one in results_of(client, job)}
    wanted, n = {"reviewer": str(uuid4()), "audit": sample, "wanted": 20}, 0
    while handed := ask(client, "POST", f"/jobs/{job}/review", json=wanted)["items"]:
        items = [{"image_id": one["image_id"], "label": shows[one["image_id"]], "source": "audit"} for one in handed]
        n += ask(client, "POST", "/labels", json={"items": items, "audit": sample})["n_labels"]
    assert n == 200


def retrain(runtime: RealRuntime, client: FlaskClient, **told: Any) -> dict[str, Any]:
    """Make a schedule and run it now, with what the training worker does; the run as programs see it."""
    parameters = {"network": "seed-cnn", "outcome": "promote", "min_gain": 0.01, "training": told}
    body = {"name": f"Sunday {uuid4()}", "kind": "retrain", "cron": "0 3 * * SUN", "parameters": parameters}
    schedule = ask(client, "POST", "/schedules", json=body)["id"]
    ask(client, "POST", f"/schedules/{schedule}/run")
    run = work(runtime)
    assert run.state == RunState.RUNNING, run.outcome
    with runtime.db.read() as session:
        assert run.work_uuid is not None
        job_id = jobs.get_job(session, run.work_uuid).id
    train_network.train(runtime, job_id)
    while (run := work(runtime)).state == RunState.EVALUATING:
        with runtime.db.read() as session:
            waiting = [jobs.get_job(session, UUID(one)).id for one in run.details["judge_jobs"]]
        for job_id in waiting:
            train_network.train(runtime, job_id)
    assert run.state == RunState.DONE, run.outcome
    page = client.get(f"/schedules/{schedule}/runs/{run.id}").text
    return {"outcome": run.outcome, "page": page, "training": run.work_uuid, **run.details}


@pytest.mark.slow
def test_a_day_with_the_original_photographs(runtime: RealRuntime, blobs: Blobs, client: FlaskClient) -> None:
    originals = photographs("originals", 250)  # sorted by version 1, the `seed-cnn` that ships
    job = ask(client, "PUT", "/archives?name=originals&model=1", data=make_tar(originals))["id"]
    sort_to_the_end(runtime, client, job)
    n_corrected = correct_all(client, job)
    assert 0.05 * len(originals) < n_corrected < 0.5 * len(originals)  # wrong, or unsure
    first = in_use(runtime)

    audit(client, job)
    sampled = retrain(runtime, client, what="head")
    assert sampled["outcome"].startswith("Too few to tell")  # a sample of 200 has about 20 pictures that judge
    assert 5 <= sampled["gate"]["n_images"] < 50
    assert "pictures more are needed" in sampled["page"]
    assert in_use(runtime) == first

    ask(client, "POST", f"/jobs/{job}/labels", json={"id": str(uuid4()), "confirm": True})
    more = photographs("val", EACH_OF_MORE) | photographs("train", EACH_OF_MORE)
    sent = ask(client, "PUT", "/archives?name=more&model=1&labelled=true", data=make_tar(more))["id"]
    sort_to_the_end(runtime, client, sent)
    weighed = retrain(runtime, client, epochs=2)
    print(n_corrected, sampled["outcome"], weighed["outcome"])
    gate = weighed["gate"]
    assert gate["n_images"] >= 200
    is_better = gate["candidate"] >= gate["in_use"] + 0.01 and gate["p_value"] < 0.05
    assert weighed["is_promoted"] <= is_better
    assert in_use(runtime) == (weighed["candidate"] if weighed["is_promoted"] else first)
    assert "right on" in weighed["page"]
    assert str(weighed["candidate"] if weighed["is_promoted"] else first) in client.get("/deployments").text
    curves = client.get(f"/jobs/{weighed['training']}").text
    assert curves.count("<svg") >= 2
    assert "validation" in curves
