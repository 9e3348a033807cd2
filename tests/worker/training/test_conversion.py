"""Versions that were made before Pawsort converted them, and those that a training has just made."""

from typing import Any

import numpy as np
import pytest

from core.base.database import Database
from core.cleanup import deletion, purge
from core.models import conversions, registry
from core.orm.models import Conversion, ModelVersion
from core.storage.blobs import Blobs
from model.conversion import agreement
from pretraining.__main__ import PRETRAINED
from tests.support.actors import as_owner
from tests.support.factories import make_upload
from tests.support.fakes import FakeRuntime
from tests.support.mirrored_version import add_mirrored
from tests.support.pictures import jpeg
from worker.maintenance.reconcile import request_conversions
from worker.training import conversion

DATABASES = ("sqlite",)


@pytest.fixture
def runtime(settings: Any, db: Database, blobs: Blobs) -> FakeRuntime:
    """Over the shipped versions, which are not converted."""
    with db.write() as session:
        registry.register_shipped(session, registry.store_weights(blobs, PRETRAINED, "seed-cnn")[:1])
    return FakeRuntime(settings, db)


def version_of(runtime: FakeRuntime, number: int = 1) -> ModelVersion:
    with runtime.db.read() as session:
        return registry.get_version(session, number)


def conversion_of(runtime: FakeRuntime, number: int = 1) -> Conversion | None:
    with runtime.db.read() as session:
        return conversions.find(session, number)


def test_stored_pictures_calibrate_a_version_and_the_worker_then_serves_it_by_litert(
    runtime: FakeRuntime, blobs: Blobs
) -> None:
    make_upload(runtime.db, blobs, {f"p/{n:03}.jpg": jpeg(n, ("cat", "dog")[n % 2], (72, 60)) for n in range(80)})
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    before = runtime.networks.open(version_of(runtime))
    conversion.convert_missing(runtime)
    found = conversion_of(runtime)
    assert found is not None
    assert (found.document["precision"], found.document["agreement"]["n_images"]) == ("int8", 40)
    after = runtime.networks.open(version_of(runtime))
    assert (before.engine.name, after.engine.name) == ("TensorFlow", "LiteRT")
    assert runtime.networks.body_of(version_of(runtime)) == after.body == found.digest
    np.testing.assert_allclose(after.predict(images), before.predict(images), atol=0.1)


def test_without_pictures_a_version_is_converted_as_it_is(runtime: FakeRuntime) -> None:
    conversion.convert_missing(runtime)
    found = conversion_of(runtime)
    assert found is not None
    assert found.document["precision"] == "float32"
    version = version_of(runtime)
    assert runtime.networks.body_of(version) == version.body is None
    assert runtime.networks.open(version).engine.name == "LiteRT"


def test_a_version_that_does_not_agree_stays_with_tensorflow_and_is_not_tried_again(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "MAX_DIFFERENCE", -1.0)
    conversion.convert_missing(runtime)
    found = conversion_of(runtime)
    assert found is not None
    assert found.digest is None
    assert "probabilities differ" in found.document["reason"]
    assert runtime.networks.open(version_of(runtime)).engine.name == "TensorFlow"
    request_conversions(runtime)
    assert runtime.n_conversions_sent == 0


def test_a_damaged_body_is_not_served(runtime: FakeRuntime, blobs: Blobs) -> None:
    conversion.convert_missing(runtime)
    found = conversion_of(runtime)
    assert found is not None
    assert found.digest is not None
    blobs.put(registry.weights_key(found.digest), b"damaged")
    assert runtime.networks.open(version_of(runtime)).engine.name == "TensorFlow"


def test_without_tensorflow_a_version_waits_for_its_conversion(
    runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.base.errors import BadWeights, NotConverted
    from worker.process import network_cache

    monkeypatch.setattr(network_cache, "has_tensorflow", lambda: False)
    with pytest.raises(NotConverted, match="waits for its conversion"):
        runtime.networks.open(version_of(runtime))
    with runtime.db.write() as session:
        conversions.add(session, 1, {"reason": "float32: probabilities differ"})
    with pytest.raises(BadWeights, match="needs TensorFlow, which is not installed here: float32: probabilities"):
        runtime.networks.open(version_of(runtime))


def test_a_body_goes_with_the_last_version_that_needs_it(runtime: FakeRuntime, blobs: Blobs) -> None:
    conversion.convert_missing(runtime)
    other = add_mirrored(runtime.db, blobs, version_of(runtime))
    found = conversion_of(runtime)
    assert found is not None
    assert found.digest is not None
    with runtime.db.write() as session:
        conversions.add(session, other, found.document)
        assert conversions.forget(session, other) is None
        conversions.add(session, other, found.document | {"digest": "ab" * 32})
    blobs.put(registry.weights_key("ab" * 32), b"a body")
    with runtime.db.write() as session:
        deletion.delete_version(session, as_owner(session), other)
    purge.purge_versions(runtime.db, blobs)
    keys = {key for key, _ in blobs.list("models/")}
    assert registry.weights_key("ab" * 32) not in keys
    assert registry.weights_key(found.digest) in keys
    assert conversion_of(runtime, other) is None
