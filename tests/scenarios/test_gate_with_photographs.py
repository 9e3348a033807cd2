"""The gate with real photographs and a real training: wrong labels teach, and what was taught badly is not promoted."""

import random
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from core.base.states import OPEN_RUN_STATES, JobKind
from core.evaluation import promotion_gate
from core.labels import labels
from core.labels.labels import NewLabel
from core.models import registry
from core.orm.jobs import Job
from core.orm.schedules import ScheduleRun
from core.orm.training import ContentSplit
from core.orm.uploads import Image
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.training.splits import Split
from tests.support.actors import as_owner
from tests.support.factories import make_upload
from tests.support.fakes import FakeRuntime
from tests.support.pictures import test_data
from tests.worker.training.test_evaluation import shipped as shipped
from worker.schedules import run_loop
from worker.training import train_network

DATABASES = ("sqlite",)
N_EACH = 1700
FLIPPED = 0.3
EACH_UPLOAD = 250
OTHER = {"cat": "dog", "dog": "cat"}


def send_photographs(runtime: FakeRuntime, blobs: Blobs, folder: Path) -> None:
    files = [(f"pets/{kind}/{path.name}", path) for kind in ("cats", "dogs") for path in listed(folder / kind)]
    for start in range(0, len(files), EACH_UPLOAD):
        some = {name: path.read_bytes() for name, path in files[start : start + EACH_UPLOAD]}
        make_upload(runtime.db, blobs, files=some, labelled=True, name="pets")


def listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())[:N_EACH]


def flip(runtime: FakeRuntime, share: float, seed: int) -> None:
    """Let somebody correct so many labels into the wrong ones."""
    chance = random.Random(seed)
    with runtime.db.write() as session:
        images = session.scalars(select(Image).order_by(Image.id)).all()
        wrong = chance.sample(list(images), round(share * len(images)))
        items = [NewLabel(one.id, OTHER[str(labels.label_of_path(one.path))]) for one in wrong]
        labels.add_labels(session, None, items)


def mend(runtime: FakeRuntime) -> None:
    """Let people say of every picture what it shows."""
    with runtime.db.write() as session:
        images = session.scalars(select(Image).order_by(Image.id)).all()
        labels.add_labels(session, None, [NewLabel(one.id, str(labels.label_of_path(one.path))) for one in images])


def run_schedule(runtime: FakeRuntime, name: str = "nightly", **told: Any) -> ScheduleRun:
    """A run from start to end, with every job that it needs."""
    parameters = {"network": "seed-cnn", "outcome": "promote"} | told
    with runtime.db.write() as session:
        wanted = NewSchedule(name, "retrain", "0 3 * * *", parameters=parameters)
        schedule = schedules.create_schedule(session, as_owner(session), wanted, [])
        run_id = due_runs.run_now(session, as_owner(session), schedule.id).id
    while True:
        run_loop.work_on_runs(runtime)
        with runtime.db.read() as session:
            run = session.get_one(ScheduleRun, run_id)
            waiting = session.scalars(select(Job.id).where(Job.state == "queued", Job.kind != JobKind.CLASSIFY)).all()
        if run.state not in OPEN_RUN_STATES:
            return run
        for job_id in waiting:
            train_network.train(runtime, job_id)


@pytest.mark.slow
@pytest.mark.parametrize("start_from", ["in_use", "anew"])
def test_a_candidate_that_learned_from_flipped_labels_is_not_promoted(
    runtime: FakeRuntime, blobs: Blobs, shipped: int, start_from: str
) -> None:
    send_photographs(runtime, blobs, test_data() / "dogs-vs-cats" / "train")
    flip(runtime, FLIPPED, seed=1)
    run = run_schedule(runtime, start_from=start_from, min_gain=0.0, training={"epochs": 4, "augmentation": "light"})
    assert run.details["is_promoted"] is False, run.outcome
    assert run.details["gate"]["n_images"] >= promotion_gate.MIN_PICTURES
    with runtime.db.read() as session:
        assert registry.current_version(session).id == shipped


@pytest.mark.slow
def test_a_candidate_that_learned_from_mended_labels_replaces_the_one_that_did_not(
    runtime: FakeRuntime, blobs: Blobs, shipped: int, client: FlaskClient
) -> None:
    send_photographs(runtime, blobs, test_data() / "dogs-vs-cats" / "train")
    flip(runtime, FLIPPED, seed=2)
    how = {"epochs": 6, "augmentation": "light", "learning_rate": 1e-3}
    poor = run_schedule(runtime, "once", start_from="anew", outcome="keep", training=how).details["candidate"]
    assert client.post(f"/api/v1/models/{poor}/promote").status_code == 200

    mend(runtime)
    run = run_schedule(runtime, min_gain=0.02, max_class_loss=0.1, training=how | {"epochs": 16})
    better, gate = run.details["candidate"], run.details["gate"]
    print(run.outcome)
    assert run.details["is_promoted"] is True, run.outcome
    assert run.details["started_from"] == poor
    assert gate["candidate"] >= gate["in_use"] + 0.02
    assert gate["p_value"] < 0.05
    with runtime.db.read() as session:
        judging = select(func.count()).select_from(ContentSplit).where(ContentSplit.part == Split.TEST)
        assert promotion_gate.MIN_PICTURES <= gate["n_images"] <= session.scalars(judging).one()
        manifests = [registry.get_version(session, version).manifest for version in (poor, better)]
        assert registry.current_version(session).id == better
    assert all(manifest["split"]["judging"] >= gate["n_images"] for manifest in manifests)

    history = client.get("/deployments").text
    assert f"promoted by the schedule “nightly” (run {run.id}): right on" in history
    page = client.get(f"/schedules/{run.schedule_id}/runs/{run.id}").text
    assert f"Version {better} was promoted in place of version {poor}: right on" in page
    assert "McNemar" in page
    assert client.get(f"/jobs/{run.work_uuid}").text.count("<svg") >= 2
    assert client.post("/api/v1/models/rollback").status_code == 200
    with runtime.db.read() as session:
        assert registry.current_version(session).id == poor
