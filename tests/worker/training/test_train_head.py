"""Training a head alone, from labels to a judged version: the shipped small network, drawn pictures."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select

import model
from core.base.database import Database
from core.base.errors import Invalid
from core.base.states import JobState
from core.decoding.images import decode_image
from core.jobs import jobs
from core.models import conversions, registry
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.training import ShardFeatures
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import features
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from tests.support.factories import make_labelled, make_training, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.many_labels import make_many
from tests.support.pictures import jpeg
from worker.training import stored_features as training_features
from worker.training import train_network

DATABASES = ("sqlite",)
PRETRAINED = Path(next(iter(model.__path__))) / "pretrained"
N_EACH = 80
MOST = 60  # times the known work, for 10,000 pictures


@pytest.fixture
def runtime(settings: Any, db: Database, blobs: Blobs) -> FakeRuntime:
    """Over the shipped versions; the small one is in use."""
    manifests = registry.store_weights(blobs, PRETRAINED, "seed-cnn")
    with db.write() as session:
        registry.register_shipped(session, manifests)
    return FakeRuntime(settings, db)


@pytest.fixture
def upload(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    files = {f"pets/{kind}s/{n:03}.jpg": jpeg(n, kind, (72, 60)) for kind in ("cat", "dog") for n in range(N_EACH)}
    return make_upload(runtime.db, blobs, files=files, labelled=True)


def run(runtime: FakeRuntime, upload: UUID, **given: Any) -> Job:
    uuid = make_training(runtime.db, upload, what="head", **given)
    with runtime.db.read() as session:
        job_id = jobs.get_job(session, uuid).id
    train_network.train(runtime, job_id)
    with runtime.db.read() as session:
        return jobs.get_job(session, uuid)


def version_of(runtime: FakeRuntime, job: Job) -> ModelVersion:
    assert job.state == JobState.DONE, job.error
    assert job.model_version_id is not None
    with runtime.db.read() as session:
        return registry.get_version(session, job.model_version_id)


def test_a_new_head_learns_and_is_judged_beside_the_version_in_use(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID
) -> None:
    job = run(runtime, upload)
    version = version_of(runtime, job)
    manifest = Manifest.from_dict(version.manifest)
    assert (manifest.parameters["what"], manifest.parameters["start_from"]) == ("head", 1)
    classifier = Classifier(manifest, bytes(blobs.get(registry.weights_key(version.digest))))
    with runtime.db.read() as session:
        first = registry.get_version(session, 1)
        said = session.execute(select(Prediction.version_id, func.count()).group_by(Prediction.version_id)).all()
        assert registry.current_version(session).id == 1
    assert classifier.body == first.body
    assert {row[0] for row in said} == {1, version.id}
    assert len({row[1] for row in said}) == 1  # both of the same pictures
    pictures = [jpeg(n, kind, (72, 60)) for kind in ("cat", "dog") for n in range(500, 700)]
    answers = classifier.predict(np.stack([decode_image(one, 64) for one in pictures]))
    assert (answers.argmax(axis=1) == np.repeat([0, 1], 200)).mean() > 0.8


def test_a_new_head_keeps_the_converted_body_on_whose_features_it_was_fitted(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID
) -> None:
    documents = conversions.store_shipped(blobs, PRETRAINED)
    with runtime.db.write() as session:
        conversions.register_shipped(session, documents)
    version = version_of(runtime, run(runtime, upload))
    with runtime.db.read() as session:
        first, kept = conversions.find(session, 1), conversions.find(session, version.id)
        said = session.scalars(select(Prediction).where(Prediction.version_id == version.id)).first()
        path = session.scalars(select(Image.path).where(Image.sha256 == said.sha256)).one() if said else ""
    assert first is not None
    assert kept is not None
    assert kept.digest == first.digest
    classifier = runtime.networks.open(version)
    assert (classifier.engine.name, classifier.body) == ("LiteRT", first.digest)
    assert said is not None
    picture = jpeg(int(path[-7:-4]), path.split("/")[1][:-1], (72, 60))
    np.testing.assert_allclose(said.probabilities, classifier.predict(decode_image(picture, 64)[None])[0], atol=2e-3)


def test_without_pictures_of_neither_the_threshold_does_not_fall_below_the_one_it_started_from(
    runtime: FakeRuntime, upload: UUID
) -> None:
    """These pictures are so easy that no wrong label would ask for any threshold."""
    version = version_of(runtime, run(runtime, upload))
    with runtime.db.read() as session:
        before = registry.get_version(session, 1).manifest["threshold"]
    unsure = version.manifest["metrics"]["validation"]["unsure"]
    assert version.manifest["threshold"] >= before or unsure > 0.4


def test_what_is_measured_on_features_is_what_the_classifier_says(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID
) -> None:
    version = version_of(runtime, run(runtime, upload))
    classifier = Classifier(
        Manifest.from_dict(version.manifest), bytes(blobs.get(registry.weights_key(version.digest)))
    )
    with runtime.db.read() as session:
        said = {
            row.sha256: row.probabilities
            for row in session.scalars(select(Prediction).where(Prediction.version_id == version.id))
        }
        paths = {row.sha256: row.path for row in session.scalars(select(Image)) if row.sha256 in said}
    assert said
    for sha256, probabilities in said.items():
        kind, number = paths[sha256].split("/")[1][:-1], int(paths[sha256][-7:-4])
        answer = classifier.predict(decode_image(jpeg(number, kind, (72, 60)), 64)[None])[0]
        np.testing.assert_allclose(probabilities, answer, atol=2e-3)


def test_missing_features_are_computed_once_and_kept(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(runtime, upload)
    with runtime.db.read() as session:
        kept = session.scalars(select(ShardFeatures)).all()
        body = registry.get_version(session, 1).body
        contents = session.scalars(select(Image.sha256)).all()
    assert sum(one.n_images for one in kept) == 2 * N_EACH
    assert body is not None
    assert len(features.find(runtime.db, blobs, body, contents)) == 2 * N_EACH

    def never(*_: Any) -> None:
        raise AssertionError("features were computed again")

    monkeypatch.setattr(training_features, "_compute", never)
    assert run(runtime, upload, seed=2).state == JobState.DONE


def test_pictures_that_cannot_be_read_are_left_out_up_to_a_share(runtime: FakeRuntime, blobs: Blobs) -> None:
    good = {f"pets/{kind}s/{n:03}.jpg": jpeg(n, kind, (72, 60)) for kind in ("cat", "dog") for n in range(N_EACH)}
    good["pets/cats/000.jpg"] = b"\xff\xd8\xff\xe0 no picture \xff\xd9"
    version = version_of(runtime, run(runtime, make_upload(runtime.db, blobs, files=good, labelled=True)))
    assert version.manifest["data"]["n_unreadable"] == 1


def test_too_many_unreadable_pictures_end_the_training_with_a_sentence(runtime: FakeRuntime, blobs: Blobs) -> None:
    broken = {
        f"pets/{kind}s/{n}.jpg": b"\xff\xd8\xff\xe0 %s %d \xff\xd9" % (kind.encode(), n)
        for kind in ("cat", "dog")
        for n in range(N_EACH)
    }
    job = run(runtime, make_upload(runtime.db, blobs, files=broken, labelled=True))
    assert job.state == JobState.FAILED
    assert "cannot be read" in (job.error or "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"what": "tail"}, "what: expected all or head"),
        ({"epochs": 3, "learning_rate": 0.1}, "epochs, learning_rate: a head is fitted in one step"),
        ({"start_from": 2}, "start_from: version 2 is one of efficientnet-lite0"),
    ],
)
def test_what_does_not_fit_a_head_is_refused_at_once(
    runtime: FakeRuntime, blobs: Blobs, given: dict[str, Any], sentence: str
) -> None:
    upload = make_labelled(runtime.db, blobs)
    with pytest.raises(Invalid, match=sentence):
        make_training(runtime.db, upload, **({"what": "head"} | given))


def known_work_s() -> float:
    """Processor time of a fixed amount of work: it grows with what else goes through the caches and cores."""
    before = time.process_time()
    numbers = np.random.default_rng(0).random((2000, 1280), np.float32)
    for _ in range(4):
        numbers @ numbers.T
    sum(divmod(n, 7)[1] for n in range(2_000_000))
    return time.process_time() - before


@pytest.mark.parametrize("n", [2_500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_pictures_in_seconds(settings: Any, db: Database, blobs: Blobs, n: int) -> None:
    """Of the large network: features as they lie in the store after classifying, compared first.

    Processor time of all threads is measured, beside that of known work: the clock shows anything on busy cores.
    """
    runtime = FakeRuntime(settings, db)
    upload = make_many(runtime, blobs, n=n)
    known_before_s, busy_before = known_work_s(), time.process_time()
    job = run(runtime, upload, network="efficientnet-lite0")
    busy_s = time.process_time() - busy_before
    known_s = max(known_before_s, known_work_s())
    version = version_of(runtime, job)
    print(f"fitted and judged in {busy_s:.1f} s of a processor's time, {busy_s / known_s:.1f} times that of known work")
    assert version.manifest["metrics"]["judging"]["accuracy"] > 0.9  # three labels in a hundred are wrong
    assert version.id > 2
    assert busy_s < MOST * known_s
