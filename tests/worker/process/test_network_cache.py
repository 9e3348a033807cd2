"""Weights: fetched once, checked always."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.database import Database
from core.base.errors import BadWeights
from core.base.network_catalog import NETWORKS
from core.models import conversions, registry
from core.orm.models import ModelVersion
from core.storage.blobs import Blobs
from instance.base import programs
from model.inference.devices import Device
from pretraining.__main__ import PRETRAINED
from tests.support.deadlines import within
from tests.support.mirrored_version import add_mirrored
from worker.process import blob_cache, network_cache
from worker.process.network_cache import NetworkCache

WEIGHTS = b"numbers, many numbers"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
VERSION = ModelVersion(id=1, network="seed-cnn", digest=DIGEST)
DATABASES = ("sqlite",)
SERVE = """
import json, sys, numpy as np
import worker.app
from core.base.config import load_settings
from instance.base.migration import migrate_installation
from worker.process import runtime
migrate_installation(load_settings()).close()
process = runtime.get()
process.start("inference")
process.classifier(process.warm_versions()[0]).predict_with_features(np.zeros((3, 224, 224, 3), np.uint8))
with process.db.read() as session:
    (row,) = runtime.workers.list_alive(session, 60)
process.stop()
imported = [name for name in ("tensorflow", "keras") if name in sys.modules]
print(json.dumps([row.device, row.versions["engine"], imported]))
"""


@pytest.fixture
def cache(db: Database, blobs: Blobs, tmp_path: Path) -> NetworkCache:
    return NetworkCache(db, blobs, tmp_path / "cache")


def test_weights_are_fetched_once(cache: NetworkCache, blobs: Blobs) -> None:
    blobs.put(registry.weights_key(DIGEST), WEIGHTS)
    assert cache.weights(VERSION) == WEIGHTS
    blobs.delete([registry.weights_key(DIGEST)])
    assert cache.weights(VERSION) == WEIGHTS


def test_weights_with_another_digest_are_refused(cache: NetworkCache, blobs: Blobs) -> None:
    blobs.put(registry.weights_key(DIGEST), b"something else")
    with pytest.raises(BadWeights, match=f"expected {DIGEST}"):
        cache.weights(VERSION)


def test_a_spoilt_cache_is_fetched_anew(cache: NetworkCache, blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(registry.weights_key(DIGEST), WEIGHTS)
    cache.weights(VERSION)
    (tmp_path / "cache" / DIGEST).write_bytes(b"spoilt")
    assert cache.weights(VERSION) == WEIGHTS


def test_missing_weights_are_said_to_be_missing(cache: NetworkCache) -> None:
    with pytest.raises(BadWeights, match=f"version 1 are missing: .*{DIGEST}"):
        cache.weights(VERSION)


def test_what_was_fetched_longest_ago_leaves_the_cache_first(
    cache: NetworkCache, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_cache, "MAX_FILES", 2)
    digests = []
    for number in range(3):
        weights = b"numbers %d" % number
        digests.append(hashlib.sha256(weights).hexdigest())
        blobs.put(registry.weights_key(digests[-1]), weights)
        cache.weights(ModelVersion(id=number, network="seed-cnn", digest=digests[-1]))
        os.utime(tmp_path / "cache" / digests[-1], (number, number))
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == sorted(digests[1:])


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave TensorFlow's threads alone: an earlier test may have started it in this process."""
    monkeypatch.setattr("model.inference.tensorflow_engine.configure_threads", lambda n: None)


@pytest.fixture
def shipped(db: Database, blobs: Blobs) -> ModelVersion:
    """The `seed-cnn` that ships, in use."""
    with db.write() as session:
        registry.register_shipped(session, registry.store_weights(blobs, PRETRAINED, "seed-cnn"))
        return registry.current_version(session)


def test_a_version_made_since_this_process_began_answers_beside_those_before(
    cache: NetworkCache, db: Database, blobs: Blobs, shipped: ModelVersion
) -> None:
    first = cache.get(shipped.id)
    images = np.random.default_rng(1).integers(0, 256, (4, 64, 64, 3), np.uint8)
    said = first.predict(images)
    mirrored = add_mirrored(db, blobs, shipped)
    np.testing.assert_allclose(cache.get(mirrored).predict(images), said[:, ::-1], atol=1e-6)
    assert cache.get(shipped.id) is first
    np.testing.assert_array_equal(first.predict(images), said)


def test_a_version_that_was_converted_meanwhile_is_loaded_again(
    cache: NetworkCache, db: Database, blobs: Blobs, shipped: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_cache, "ASK_S", 0.0)
    assert cache.get(shipped.id).engine.name == "TensorFlow"
    documents = conversions.store_shipped(blobs, PRETRAINED)
    with db.write() as session:
        conversions.register_shipped(session, documents)
    converted = cache.get(shipped.id)
    assert converted.engine.name == "LiteRT"
    assert cache.get(shipped.id) is converted


def test_a_version_that_this_program_does_not_know_is_refused_with_a_sentence(
    cache: NetworkCache, db: Database, shipped: ModelVersion
) -> None:
    with db.write() as session:
        version = registry.get_version(session, shipped.id)
        version.manifest = {**version.manifest, "network": "of-tomorrow"}
    with pytest.raises(BadWeights, match=r"cannot be used here: .*of-tomorrow.*Update Pawsort"):
        cache.get(shipped.id)


def test_a_process_that_serves_the_shipped_network_on_a_cpu_never_imports_tensorflow(tmp_path: Path) -> None:
    environment = {
        "PAWSORT_DATA_DIR": str(tmp_path),
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join(programs.SOURCES),
    }
    command = [sys.executable, "-c", SERVE]
    run = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=within(60), check=False
    )
    assert run.returncode == 0, run.stderr
    device, engine, imported = json.loads(run.stdout.splitlines()[-1])
    assert (device, imported) == ("cpu", [])
    assert engine.startswith("LiteRT ")
    assert engine.endswith(", int8")


@pytest.fixture
def light(db: Database, blobs: Blobs, shipped: ModelVersion) -> ModelVersion:
    """A version that swaps cats and dogs where it is sure, and leaves other pictures to the shipped one."""
    number = add_mirrored(db, blobs, shipped)
    (document,) = [one for one in conversions.store_shipped(blobs, PRETRAINED) if one["weights"] == shipped.digest]
    with db.write() as session:
        version = registry.get_version(session, number)
        version.manifest = {**version.manifest, "cascade": {"teacher": shipped.digest, "limit": 0.8}}
        for one in (shipped, version):
            conversions.add(session, one.id, {**document, "weights": one.digest})
        return version


def test_a_light_version_leaves_what_it_is_unsure_of_to_its_teacher(
    cache: NetworkCache, shipped: ModelVersion, light: ModelVersion
) -> None:
    images = np.random.default_rng(1).integers(0, 256, (8, 64, 64, 3), np.uint8) // np.arange(1, 9)[:, None, None, None]
    of_teacher = cache.get(shipped.id).predict(images.astype(np.uint8))
    is_doubtful = of_teacher.max(axis=1) < 0.8
    assert 0 < is_doubtful.sum() < 8
    cascade = cache.get(light.id)
    expected = np.where(is_doubtful[:, None], of_teacher, of_teacher[:, ::-1])
    np.testing.assert_allclose(cascade.predict(images.astype(np.uint8)), expected, atol=1e-6)
    assert cache.body_of(light) == cascade.body


def test_where_litert_is_missing_the_teacher_answers_for_every_picture(
    cache: NetworkCache, shipped: ModelVersion, light: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.inference.litert_engine.is_installed", lambda: False)
    images = np.random.default_rng(1).integers(0, 256, (4, 64, 64, 3), np.uint8)
    found, teacher = cache.get(light.id), cache.get(shipped.id)
    assert found.engine.name == "TensorFlow"
    np.testing.assert_array_equal(found.predict(images), teacher.predict(images))
    assert cache.body_of(light) == found.body


@pytest.fixture
def int8_alone(light: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """A version whose layers are shipped in int8 alone, on a machine with a GPU."""
    network = replace(NETWORKS["seed-cnn"], needs_litert=True)
    monkeypatch.setattr(network_cache, "NETWORKS", {"seed-cnn": network})
    monkeypatch.setattr(NetworkCache, "device", lambda self: Device(place="/GPU:0", name="gpu: drawn"))
    return light


def test_layers_in_int8_alone_run_in_litert_beside_a_gpu_too(cache: NetworkCache, int8_alone: ModelVersion) -> None:
    assert cache.get(int8_alone.id).engine.name == "LiteRT"


def test_layers_in_int8_alone_say_that_they_need_litert(
    cache: NetworkCache, int8_alone: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.inference.litert_engine.is_installed", lambda: False)
    with pytest.raises(BadWeights, match="needs LiteRT, since its layers are shipped in int8 alone"):
        cache.get(int8_alone.id)
