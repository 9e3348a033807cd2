"""Judging from claim to judgements: real pictures, drawn; a real network; after a training, and by a job of its own."""

import json
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.states import JobState
from core.cleanup import deletion
from core.decoding.images import decode_image
from core.evaluation import evaluation_jobs, predictions, version_comparison
from core.evaluation.predictions import PredictionFilter, PredictionRow
from core.jobs import job_states, retry
from core.models import registry
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import ContentSplit, Training
from core.storage.blobs import Blobs
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from pretraining.__main__ import PRETRAINED
from tests.support.actors import as_owner
from tests.support.factories import make_training, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.pictures import jpeg
from tests.worker.training.test_train_network import QUICK, get_job, make_pets
from worker.maintenance.reconcile import requeue_trainings
from worker.training import evaluation as judge_module
from worker.training import train_network

DATABASES = ("sqlite",)


@pytest.fixture
def upload(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    return make_pets(runtime.db, blobs)


@pytest.fixture
def shipped(runtime: FakeRuntime, blobs: Blobs) -> int:
    """The version that ships, in use."""
    manifest = Manifest.from_json((PRETRAINED / "seed-cnn.json").read_bytes())
    (blob_key, weights) = registry.weights_key(manifest.digest), (PRETRAINED / "seed-cnn.npz").read_bytes()
    blobs.put(blob_key, weights)
    with runtime.db.write() as session:
        version = registry.add_version(session, registry_form(PRETRAINED / "seed-cnn.json"))
        registry.promote(session, version.id)
        return version.id


def registry_form(path: Path) -> dict[str, object]:
    """A manifest as the registry keeps it."""
    document: dict[str, object] = json.loads(path.read_text())
    return document


def start(runtime: FakeRuntime, version: int) -> UUID:
    with runtime.db.write() as session:
        return evaluation_jobs.create_evaluation_job(session, as_owner(session), version).uuid


def run(runtime: FakeRuntime, uuid: UUID) -> Job:
    train_network.train(runtime, get_job(runtime, uuid).id)
    return get_job(runtime, uuid)


def said_by(runtime: FakeRuntime, version: int) -> list[PredictionRow]:
    with runtime.db.read() as session:
        return predictions.list_predictions(session, version, PredictionFilter(), None, 1000).items


def test_a_judge_job_asks_the_version_about_every_picture_of_the_judging_part(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID, shipped: int
) -> None:
    job = run(runtime, start(runtime, shipped))
    assert (job.state, job.error) == (JobState.DONE, None)
    rows = said_by(runtime, shipped)
    with runtime.db.read() as session:
        in_judging = set(session.scalars(select(ContentSplit.sha256).where(ContentSplit.part == "judging")))
        version = registry.get_version(session, shipped)
    assert {row.sha256 for row in rows} == in_judging
    assert len(in_judging) > 5
    classifier = Classifier(
        Manifest.from_dict(version.manifest), bytes(blobs.get(registry.weights_key(version.digest)))
    )
    row = rows[0]
    assert row.path is not None
    kind, number = ("cat" if "cats" in row.path else "dog"), int(row.path[-7:-4])
    answer = classifier.predict(decode_image(jpeg(number, kind, (72, 60)), 64)[None])[0]
    np.testing.assert_allclose(row.probabilities, answer, atol=2e-6)
    assert row.label == kind
    with runtime.db.read() as session:
        assert session.scalars(select(ModelVersion.id)).all() == [1, shipped]


def test_after_a_training_both_it_and_the_version_in_use_have_judged_the_same_pictures(
    runtime: FakeRuntime, upload: UUID, shipped: int
) -> None:
    job = run(runtime, make_training(runtime.db, upload, **QUICK))
    assert (job.state, job.error) == (JobState.DONE, None)
    assert job.model_version_id is not None
    with runtime.db.read() as session:
        new, old = (registry.get_version(session, one) for one in (job.model_version_id, shipped))
        both = version_comparison.compare(session, new, old)
        figures = predictions.measure_version(session, new)
    assert both.n_images == new.manifest["metrics"]["judging"]["n_images"]
    assert both.n_left_out == 0
    in_manifest = new.manifest["metrics"]["judging"]
    assert figures["confusion"] == in_manifest["confusion"]
    for name in ("accuracy", "unsure", "wrong", "log_loss"):
        assert figures[name] == pytest.approx(in_manifest[name], abs=1e-5), name


def test_a_training_does_not_fail_because_the_version_in_use_has_lost_its_weights(
    runtime: FakeRuntime, upload: UUID
) -> None:
    job = run(runtime, make_training(runtime.db, upload, **QUICK))
    assert job.state == JobState.DONE
    assert job.model_version_id is not None
    assert len(said_by(runtime, job.model_version_id)) > 5


def test_what_was_killed_while_judging_begins_anew_and_doubles_nothing(
    runtime: FakeRuntime, upload: UUID, shipped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As if the process had ended here."""

    def kill(*_: object) -> None:
        raise Killed

    uuid = start(runtime, shipped)
    with monkeypatch.context() as patch:
        patch.setattr(evaluation_jobs, "finish_evaluation", kill)
        patch.setattr(train_network, "_release", lambda *_, **__: None)  # a killed process frees no lease
        with pytest.raises(Killed):
            run(runtime, uuid)
    assert said_by(runtime, shipped) == []
    with runtime.db.write() as session:
        session.execute(update(Training).values(lease_until=db_now(-1)))
    requeue_trainings(runtime)
    assert runtime.sent_trainings == [get_job(runtime, uuid).id]
    assert run(runtime, uuid).state == JobState.DONE
    once = said_by(runtime, shipped)
    assert run(runtime, start(runtime, shipped)).state == JobState.DONE
    assert said_by(runtime, shipped) == once


def test_a_cancelled_judging_writes_nothing_and_can_go_on(
    runtime: FakeRuntime, upload: UUID, shipped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = start(runtime, shipped)
    real = judge_module._batches

    def cancel(decoded: object) -> object:
        with runtime.db.write() as session:
            job_states.cancel_job(session, as_owner(session), uuid)
        return real(decoded)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(judge_module, "_batches", cancel)
        assert run(runtime, uuid).state == JobState.CANCELLED
    assert said_by(runtime, shipped) == []
    with runtime.db.write() as session:
        retry.retry_job(session, as_owner(session), uuid)
    assert run(runtime, uuid).state == JobState.DONE
    assert len(said_by(runtime, shipped)) > 5


def test_pictures_that_are_broken_or_gone_are_left_out(runtime: FakeRuntime, blobs: Blobs, shipped: int) -> None:
    broken = {f"cats/{n}.jpg": b"no picture %d" % n for n in range(40)}
    good = {f"dogs/{n}.jpg": jpeg(n + 1000, "dog", (72, 60)) for n in range(40)}
    make_upload(runtime.db, blobs, files=broken | good, labelled=True)
    gone = make_pets(runtime.db, blobs)
    uuid = start(runtime, shipped)
    with runtime.db.write() as session:
        deletion.delete_upload(session, as_owner(session), gone)
    assert run(runtime, uuid).state == JobState.DONE
    assert {row.label for row in said_by(runtime, shipped)} == {"dog"}


def test_a_version_without_weights_fails_its_judging_with_a_sentence(runtime: FakeRuntime, upload: UUID) -> None:
    job = run(runtime, start(runtime, 1))
    assert job.state == JobState.FAILED
    assert "models/" in (job.error or "")
    with runtime.db.read() as session:
        assert session.scalars(select(Prediction)).all() == []
