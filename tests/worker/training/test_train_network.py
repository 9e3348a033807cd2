"""Trainings from claim to version: real pictures, drawn; a real network; two epochs or a few."""

import io
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import Unavailable
from core.base.states import JobState
from core.jobs import job_states, jobs
from core.models import conversions, registry
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.models import ModelVersion
from core.orm.training import EpochRow, Training
from core.storage.blobs import Blobs
from core.training import claims, progress, training_jobs
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from tests.support.actors import as_owner
from tests.support.deadlines import within
from tests.support.factories import make_training, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.pictures import jpeg
from tests.support.waiting import until
from worker.maintenance.reconcile import requeue_trainings
from worker.training import checkpoint, stored_images, train_network, training_lease
from worker.training.dataset import find_samples
from worker.training.training_lease import TrainingLease

DATABASES = ("sqlite",)
QUICK = {"epochs": 2, "batch_size": 16, "augmentation": "none", "learning_rate": 1e-3}
N_EACH = 60
STOPS_S = 2.0  # of a processor, once it was told to


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.fixture
def upload(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    return make_pets(runtime.db, blobs)


def make_pets(db: Database, blobs: Blobs, broken: int = 0) -> UUID:
    """Drawn cats and dogs; the first ones of each class are no pictures."""
    files = {
        f"pets/{kind}s/{n:03}.jpg": b"no picture %s %d" % (kind.encode(), n) if n < broken else jpeg(n, kind, (72, 60))
        for kind in ("cat", "dog")
        for n in range(N_EACH)
    }
    return make_upload(db, blobs, files=files, labelled=True, name="pets")


def start(runtime: FakeRuntime, upload: UUID, **given: Any) -> UUID:
    return make_training(runtime.db, upload, **(QUICK | given))


def run(runtime: FakeRuntime, uuid: UUID) -> Job:
    train_network.train(runtime, get_job(runtime, uuid).id)
    return get_job(runtime, uuid)


def get_job(runtime: FakeRuntime, uuid: UUID) -> Job:
    with runtime.db.read() as session:
        return jobs.get_job(session, uuid)


def epochs_of(runtime: FakeRuntime, uuid: UUID) -> list[EpochRow]:
    with runtime.db.read() as session:
        return progress.list_epochs(session, jobs.get_job(session, uuid).id)


def curve(runtime: FakeRuntime, uuid: UUID) -> list[tuple[float, float]]:
    return [(epoch.loss, epoch.val_loss) for epoch in epochs_of(runtime, uuid)]


def version_of(runtime: FakeRuntime, job: Job) -> ModelVersion:
    assert job.model_version_id is not None
    with runtime.db.read() as session:
        return registry.get_version(session, job.model_version_id)


@pytest.fixture
def killed_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Epochs whose training ends right before they are recorded: the state is stored, the row is not."""
    numbers: list[int] = []
    real = claims.record_epoch

    def record(session: Any, claim: Any, epoch: Any, key: str) -> None:
        if epoch["number"] in numbers:
            numbers.remove(epoch["number"])
            raise Killed
        real(session, claim, epoch, key)

    monkeypatch.setattr(claims, "record_epoch", record)
    monkeypatch.setattr(claims, "release", lambda *_: None)  # a killed process frees no lease
    yield numbers
    assert numbers == []


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a second to hear that a training shall stop; the time of a processor that passes then is ours."""
    assert training_lease.BEAT_S + STOPS_S <= 3
    monkeypatch.setattr(training_lease, "BEAT_S", 0.05)


def let_the_lease_run_out(runtime: FakeRuntime) -> None:
    with runtime.db.write() as session:
        session.execute(update(Training).values(lease_until=db_now(-1)))


def let_the_pause_end(runtime: FakeRuntime) -> None:
    with runtime.db.write() as session:
        session.execute(update(Training).values(ready_at=db_now(-1)))


def test_a_training_leaves_epochs_and_a_version_that_works_and_is_not_in_use(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID
) -> None:
    job = run(runtime, start(runtime, upload, epochs=4))
    assert (job.state, job.error) == (JobState.DONE, None)
    epochs = epochs_of(runtime, job.uuid)
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]
    assert epochs[-1].loss < epochs[0].loss
    version = version_of(runtime, job)
    manifest = Manifest.from_dict(version.manifest)
    classifier = Classifier(manifest, bytes(blobs.get(registry.weights_key(version.digest))))
    assert classifier.predict(np.zeros((3, 64, 64, 3), np.uint8)).shape == (3, 2)
    assert manifest.data["n_images"] == {"cat": N_EACH, "dog": N_EACH}
    assert sum(manifest.split[part] for part in ("training", "validation", "judging")) == 2 * N_EACH
    assert manifest.metrics["judging"]["n_images"] == manifest.split["judging"]
    assert manifest.parameters["epochs"] == 4
    with runtime.db.read() as session:
        assert registry.current_version(session).id != version.id
        converted = conversions.find(session, version.id)
    assert converted is not None
    assert converted.document["weights"] == version.digest
    assert runtime.networks.open(version).engine.name == "LiteRT"
    assert list(blobs.list("trainings/")) == []


@pytest.mark.slow
def test_what_was_killed_goes_on_after_the_last_recorded_epoch_with_the_same_curve(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID, killed_after: list[int]
) -> None:
    undisturbed, disturbed = start(runtime, upload, epochs=3), start(runtime, upload, epochs=3)
    run(runtime, undisturbed)
    killed_after += [1, 3]
    for _ in range(2):
        with pytest.raises(Killed):
            run(runtime, disturbed)
        assert run(runtime, disturbed).state == JobState.RUNNING  # its lease has not run out
        let_the_lease_run_out(runtime)
        requeue_trainings(runtime)
        assert runtime.sent_trainings[-1] == get_job(runtime, disturbed).id
    assert run(runtime, disturbed).state == JobState.DONE
    assert [epoch.number for epoch in epochs_of(runtime, disturbed)] == [1, 2, 3]
    np.testing.assert_allclose(curve(runtime, disturbed), curve(runtime, undisturbed), rtol=0.01)
    assert list(blobs.list("trainings/")) == []


@pytest.mark.slow
def test_what_is_labelled_or_sent_meanwhile_does_not_change_a_training_under_way(
    runtime: FakeRuntime, upload: UUID, killed_after: list[int]
) -> None:
    uuid = start(runtime, upload)
    killed_after.append(2)
    with pytest.raises(Killed):
        run(runtime, uuid)
    with runtime.db.write() as session:
        session.execute(update(Label).values(label="dog"))
    let_the_lease_run_out(runtime)
    job = run(runtime, uuid)
    assert job.state == JobState.DONE
    assert version_of(runtime, job).manifest["data"]["n_images"] == {"cat": N_EACH, "dog": N_EACH}


@pytest.mark.usefixtures("quick_beats")
def test_cancelling_takes_effect_within_two_seconds_and_keeps_the_epochs(runtime: FakeRuntime, upload: UUID) -> None:
    uuid = start(runtime, upload, epochs=1000)
    thread = threading.Thread(target=run, args=(runtime, uuid))
    thread.start()
    until(lambda: len(epochs_of(runtime, uuid)) >= 2, 60)
    with runtime.db.write() as session:
        job_states.cancel_job(session, as_owner(session), uuid)
    busy_before = time.process_time()
    thread.join(within(60))
    assert time.process_time() - busy_before < STOPS_S
    assert get_job(runtime, uuid).state == JobState.CANCELLED
    assert len(epochs_of(runtime, uuid)) >= 2


@pytest.mark.parametrize(
    "phase", ["reading", "decoding", "comparing", "preparing", "training", "validating", "judging"]
)
@pytest.mark.usefixtures("quick_beats")
def test_cancelling_takes_effect_whatever_is_happening(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    uuid = start(runtime, upload)
    busy_before: list[float] = []

    def cancel(now: str) -> None:
        if now == phase and not busy_before:
            with runtime.db.write() as session:
                job_states.cancel_job(session, as_owner(session), uuid)
            busy_before.append(time.process_time())

    report, find = TrainingLease.report, train_network.find_samples
    monkeypatch.setattr(TrainingLease, "report", lambda self, now, *rest: (cancel(now), report(self, now, *rest)))
    monkeypatch.setattr(train_network, "find_samples", lambda *given: (cancel("reading"), find(*given))[1])
    job = run(runtime, uuid)
    assert time.process_time() - busy_before[0] < STOPS_S
    assert (job.state, job.model_version_id) == (JobState.CANCELLED, None)
    assert list(blobs.list("models/")) == []


@pytest.mark.usefixtures("quick_beats")
def test_a_training_that_is_ended_early_keeps_its_best_epoch_as_a_version(runtime: FakeRuntime, upload: UUID) -> None:
    uuid = start(runtime, upload, epochs=1000)
    thread = threading.Thread(target=run, args=(runtime, uuid))
    thread.start()
    until(lambda: len(epochs_of(runtime, uuid)) >= 2, 60)
    with runtime.db.write() as session:
        training_jobs.keep_best(session, as_owner(session), uuid)
    thread.join(within(60))
    job = get_job(runtime, uuid)
    assert (job.state, job.error) == (JobState.DONE, None)
    assert 2 <= len(epochs_of(runtime, uuid)) < 1000
    assert version_of(runtime, job).manifest["metrics"]["judging"]["n_images"] > 0


@pytest.mark.slow
def test_the_best_epoch_is_kept_also_when_the_worker_was_killed_meanwhile(
    runtime: FakeRuntime, upload: UUID, killed_after: list[int]
) -> None:
    uuid = start(runtime, upload, epochs=1000)
    killed_after.append(3)
    with pytest.raises(Killed):
        run(runtime, uuid)
    with runtime.db.write() as session:
        training_jobs.keep_best(session, as_owner(session), uuid)
    let_the_lease_run_out(runtime)
    assert run(runtime, uuid).state == JobState.DONE
    assert len(epochs_of(runtime, uuid)) == 2


def test_a_training_that_is_asked_to_stop_is_given_back(
    runtime: FakeRuntime, upload: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = start(runtime, upload)

    def stop(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(train_network, "read_pixels", stop)
    with pytest.raises(SystemExit):
        run(runtime, uuid)
    with runtime.db.read() as session:
        assert claims.list_waiting(session, 10) == [jobs.get_job(session, uuid).id]


@pytest.mark.parametrize("augmentation", ["light", "strong"])  # with pixels of one size, and of two
def test_each_picture_is_decoded_once(
    runtime: FakeRuntime, upload: UUID, monkeypatch: pytest.MonkeyPatch, augmentation: str
) -> None:
    decoded = []
    decode = stored_images.decode_stored
    monkeypatch.setattr(stored_images, "decode_stored", lambda *given: (decoded.extend(given[1]), decode(*given))[1])
    job = run(runtime, start(runtime, upload, epochs=1, augmentation=augmentation))
    n_judged = version_of(runtime, job).manifest["split"]["judging"]  # once more, for what judges beside it
    # A few are nearly the same as others, and change their size with the part.
    assert len(decoded) - n_judged < 1.1 * 2 * N_EACH


def test_a_few_unreadable_pictures_are_left_out_and_counted(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = run(runtime, start(runtime, make_pets(runtime.db, blobs, broken=5)))
    assert job.state == JobState.DONE
    assert version_of(runtime, job).manifest["data"]["n_unreadable"] == 10


def test_a_third_of_unreadable_pictures_fails_with_a_sentence_and_no_version(
    runtime: FakeRuntime, blobs: Blobs
) -> None:
    job = run(runtime, start(runtime, make_pets(runtime.db, blobs, broken=N_EACH * 2 // 5)))
    assert (job.state, job.model_version_id) == (JobState.FAILED, None)
    assert "48 of 120 pictures cannot be read (not_an_image: 48)" in (job.error or "")
    assert epochs_of(runtime, job.uuid) == []
    assert list(blobs.list("trainings/")) == []  # trying again looks at the pictures anew


def test_steps_of_an_epoch_can_be_chosen_and_it_stops_when_nothing_gets_better(
    runtime: FakeRuntime, upload: UUID
) -> None:
    job = run(runtime, start(runtime, upload, epochs=50, steps_per_epoch=1, early_stopping=1, learning_rate=0.1))
    assert job.state == JobState.DONE
    assert len(epochs_of(runtime, job.uuid)) < 50


@pytest.mark.slow
def test_a_training_can_start_from_a_version(runtime: FakeRuntime, upload: UUID) -> None:
    first = run(runtime, start(runtime, upload, epochs=3))
    assert first.model_version_id is not None
    second = run(runtime, start(runtime, upload, epochs=1, start_from=first.model_version_id, learning_rate=1e-5))
    assert second.state == JobState.DONE
    assert epochs_of(runtime, second.uuid)[0].loss < epochs_of(runtime, first.uuid)[0].loss


@pytest.mark.slow
def test_a_state_that_was_never_recorded_is_not_gone_on_from(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID, killed_after: list[int]
) -> None:
    uuid = start(runtime, upload)
    killed_after.append(1)
    with pytest.raises(Killed):
        run(runtime, uuid)
    assert [key for key, _ in blobs.list("trainings/") if checkpoint.STATE in key] != []
    with runtime.db.read() as session:
        assert session.get_one(Training, get_job(runtime, uuid).id).state_key is None
    let_the_lease_run_out(runtime)
    assert run(runtime, uuid).state == JobState.DONE


def test_samples_are_chosen_once(runtime: FakeRuntime, blobs: Blobs, upload: UUID) -> None:
    uuid = start(runtime, upload)
    with runtime.db.write() as session:
        claim = claims.claim_training(session, jobs.get_job(session, uuid).id, None, 60)
    assert claim is not None
    first, again = find_samples(runtime, claim), find_samples(runtime, claim)
    assert first.digest() == again.digest()
    assert len([key for key, _ in blobs.list("trainings/")]) == 1
    (key, _) = next(blobs.list("trainings/"))
    assert set(np.load(io.BytesIO(blobs.get(key)))) == {"image_ids", "contents", "labels", "parts"}


def test_a_store_that_is_away_for_a_moment_costs_no_attempt(
    runtime: FakeRuntime, upload: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("The blob store at PAWSORT_BLOB_URL does not answer.")

    uuid = start(runtime, upload)
    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "get", away)
        patched.setattr(Blobs, "get_range", away)
        assert run(runtime, uuid).state != JobState.FAILED
    with runtime.db.read() as session:
        assert session.scalars(select(Training.attempts)).one() == 0
    let_the_pause_end(runtime)
    assert run(runtime, uuid).state == JobState.DONE
