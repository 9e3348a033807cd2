"""Training the last layers of a large network: on a real one, that ships, with drawn pictures."""

import json
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from core.base.states import JobState
from core.jobs import jobs
from core.models import registry
from core.storage.blobs import Blobs
from core.training import progress
from model.artifacts.manifest import Manifest
from model.artifacts.weights import unpack_weights
from pretraining.negatives import draw_negatives
from tests.support.factories import make_training, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.paths import ROOT
from tests.support.pictures import encode, jpeg
from worker.training import train_network

DATABASES = ("sqlite",)
SHIPPED = ROOT / "model" / "pretrained"
NETWORK = "efficientnet-lite0"


@pytest.fixture
def shipped(runtime: FakeRuntime, blobs: Blobs) -> int:
    """The version of the large network that ships."""
    manifest = json.loads((SHIPPED / f"{NETWORK}.json").read_text())
    blobs.put(registry.weights_key(manifest["digest"]), (SHIPPED / f"{NETWORK}.npz").read_bytes())
    with runtime.db.write() as session:
        return registry.add_version(session, manifest).id


@pytest.fixture
def upload(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    """Drawn cats, dogs, and pictures of neither."""
    files = {f"pets/{kind}s/{n:02}.jpg": jpeg(n, kind) for kind in ("cat", "dog") for n in range(30)}
    files |= {
        f"pets/neither/{n:02}.jpg": encode(Image.fromarray(one)) for n, one in enumerate(draw_negatives(5, 64, 1))
    }
    return make_upload(runtime.db, blobs, files=files, labelled=True, name="pets")


@pytest.mark.slow
def test_only_the_last_layers_learn_and_pictures_of_neither_teach_too(
    runtime: FakeRuntime, blobs: Blobs, shipped: int, upload: UUID
) -> None:
    uuid = make_training(runtime.db, upload, network=NETWORK, epochs=2, batch_size=16, augmentation="none")
    with runtime.db.read() as session:
        job_id = jobs.get_job(session, uuid).id
    train_network.train(runtime, job_id)
    with runtime.db.read() as session:
        job = jobs.get_job(session, uuid)
        curve = progress.list_epochs(session, job.id)
        assert (job.state, job.error) == (JobState.DONE, None)
        assert job.model_version_id is not None
        made = registry.get_version(session, job.model_version_id)
        before = registry.get_version(session, shipped)
    assert [epoch.number for epoch in curve] == [1, 2]
    assert curve[1].loss < curve[0].loss
    manifest = Manifest.from_dict(made.manifest)
    assert manifest.parameters["start_from"] == shipped
    assert manifest.data["n_images"] == {"cat": 30, "dog": 30, "neither": 25}
    assert manifest.metrics["strangers"]["n_images"] >= 1
    old, new = (unpack_weights(bytes(blobs.get(registry.weights_key(one.digest)))) for one in (before, made))
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert changed
    assert {array.dtype for array in new.values()} == {np.dtype(np.float16)}
    assert not [name for name in changed if name.startswith(("stem", "block_01", "block_15", "imagenet"))]
