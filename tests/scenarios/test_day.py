"""From day to day, with a real network and no stand-in: sort, correct, sample, retrain, and the gate decides."""

from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image as Picture
from sqlalchemy import select

from core.base.database import Database
from core.base.states import LabelSource, RunState
from core.jobs import jobs
from core.labels.labels import NewLabel, add_labels, label_of_path
from core.models import registry
from core.orm.schedules import ScheduleRun
from core.orm.training import ContentSplit
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training.splits import Split
from tests.model.arrays.test_near_duplicates import paint
from tests.support.factories import make_job, make_upload, read_results
from tests.support.fakes import FakeRuntime
from tests.support.inference import sort_all
from tests.support.labelled_contents import say_all
from tests.support.pictures import encode
from tests.worker.schedules.test_retrain import add_schedule, begin, in_use, work
from tests.worker.training.test_train_head import PRETRAINED
from worker.training import train_network

DATABASES = ("sqlite",)
N, EACH_UPLOAD = 2400, 200


class RealRuntime(FakeRuntime):
    """Real networks, with the threads that this process has."""

    @cache  # noqa: B019 - ends with the test
    def classifier(self, version_id: int) -> Any:
        with self.db.read() as session:
            version = registry.get_version(session, version_id)
        return self.networks.open(version)


@pytest.fixture
def runtime(settings: Any, db: Database, blobs: Blobs) -> RealRuntime:
    """Over the shipped versions; the small network is in use."""
    manifests = registry.store_weights(blobs, PRETRAINED, "seed-cnn")
    with db.write() as session:
        registry.register_shipped(session, manifests)
    return RealRuntime(settings, db)


def tinted(seed: int, kind: str) -> bytes:
    """A picture that is warm (cat) or cold (dog), more or less, and unlike any other."""
    tint = (230, 120, 40) if kind == "cat" else (40, 110, 230)
    image = paint(seed, (64, 48))
    strength = 0.1 + 0.5 * float(np.random.default_rng(seed).random())
    return encode(Picture.blend(image, Picture.new("RGB", image.size, tint), strength))


def send_and_sort(runtime: RealRuntime, blobs: Blobs) -> list[UUID]:
    """Uploads of unlabelled pictures, sorted by the version in use."""
    uploads = []
    for start in range(0, N, EACH_UPLOAD):
        kinds = [("cat", "dog")[seed % 2] for seed in range(start, start + EACH_UPLOAD)]
        files = {f"day/{kind}s/{start + n:05}.jpg": tinted(start + n, kind) for n, kind in enumerate(kinds)}
        uploads.append(make_upload(runtime.db, blobs, files=files))
        job = make_job(runtime.db, uploads[-1])
        sort_all(runtime)
        correct(runtime, job)
    return uploads


def correct(runtime: RealRuntime, job: UUID) -> None:
    """Say of every picture that was called wrong what it shows, and of no other."""
    rows = read_results(runtime.db, job)
    wrong = [(row.image_id, label_of_path(row.path)) for row in rows if row.label != label_of_path(row.path)]
    with runtime.db.write() as session:
        add_labels(session, None, [NewLabel(image_id, label) for image_id, label in wrong])


def retrain(runtime: RealRuntime, schedule: int) -> ScheduleRun:
    """A whole run: the training itself, then the gate."""
    run = begin(runtime, schedule, by_hand=True)
    assert run.state == RunState.RUNNING, run.outcome
    with runtime.db.read() as session:
        assert run.work_uuid is not None
        job_id = jobs.get_job(session, run.work_uuid).id
    train_network.train(runtime, job_id)
    done = work(runtime)
    assert done.state == RunState.DONE, done.outcome
    return done


def flip_some(runtime: RealRuntime, share: float) -> None:
    """Let a person say the wrong thing of a share of the training part."""
    with runtime.db.write() as session:
        training_part = select(ContentSplit.sha256).where(ContentSplit.part == Split.TRAINING)
        images = session.scalars(select(Image).where(Image.sha256.in_(training_part)).order_by(Image.id)).all()
        chosen = np.random.default_rng(3).choice(len(images), round(share * len(images)), replace=False)
        wrong = [("cat", "dog")[label_of_path(images[n].path) == "cat"] for n in chosen.tolist()]
        add_labels(session, None, [NewLabel(images[n].id, one) for n, one in zip(chosen.tolist(), wrong, strict=True)])


@pytest.mark.slow
def test_corrections_become_the_next_version_when_a_sample_shows_that_it_is_better_and_only_then(
    runtime: RealRuntime, blobs: Blobs, client: FlaskClient
) -> None:
    uploads = send_and_sort(runtime, blobs)
    schedule = add_schedule(runtime, training={"what": "head"})
    first = in_use(runtime)

    only_corrections = retrain(runtime, schedule)
    assert "Too few to tell" in only_corrections.outcome
    assert in_use(runtime) == first

    say_all(runtime.db, LabelSource.AUDIT, uploads)
    with_a_sample = retrain(runtime, schedule)
    assert with_a_sample.details["is_promoted"] is True, with_a_sample.outcome
    second = in_use(runtime)
    assert second == with_a_sample.details["candidate"]
    assert f"promoted by the schedule “Sunday” (run {with_a_sample.id})" in client.get("/deployments").text
    assert "right on" in client.get(f"/schedules/{schedule}/runs/{with_a_sample.id}").text

    flip_some(runtime, 0.3)
    with_wrong_labels = retrain(runtime, schedule)
    assert with_wrong_labels.details["is_promoted"] is False, with_wrong_labels.outcome
    assert in_use(runtime) == second
