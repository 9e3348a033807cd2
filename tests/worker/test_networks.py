"""Weights: fetched once, checked always."""

import hashlib
from pathlib import Path

import pytest

from core import registry
from core.blobs import Blobs
from core.db import Database
from core.errors import BadWeights, BlobMissing
from core.orm import ModelVersion
from worker.networks import NetworkCache

WEIGHTS = b"numbers, many numbers"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
VERSION = ModelVersion(id=1, network="seed-cnn", digest=DIGEST)
DATABASES = ("sqlite",)


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
    with pytest.raises(BlobMissing, match=DIGEST):
        cache.weights(VERSION)
