"""Hand-written stand-ins for unit tests of services."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.base.config import Settings
from core.base.database import Database
from core.decoding.pool.decoder_pool import DecoderPool
from model.inference.predictions import Predictions
from tests.support import decoders
from worker.process.runtime import Runtime


class FakeClassifier:
    """Says how bright a picture is: a dark one is a cat, a bright one a dog. The places of its map are its pixels."""

    side_px = 8
    classes = ("cat", "dog")
    body = "ab" * 32
    batch_size = 64
    network = "seed-cnn"

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 8, 8, 3) -> (N, 2)."""
        self._before()
        p_dog = images.reshape(len(images), -1).mean(axis=1) / 255 if len(images) else np.empty(0)
        return np.stack([1 - p_dog, p_dog], axis=1).astype(np.float32)

    def predict_with_features(
        self, images: NDArray[np.uint8], on_batch: Callable[[], object] = lambda: None
    ) -> Predictions:
        """Features are the means of the colours, (N, 3); evidence is brightness beyond grey, (N, 7, 7)."""
        on_batch()
        features = images.mean(axis=(1, 2)).astype(np.float16) if len(images) else np.empty((0, 3), np.float16)
        return Predictions(self.predict(images), features, images[:, :7, :7].mean(axis=3) - np.float32(127.5))

    def name_networks(self, predictions: Predictions) -> list[str]:
        """It answers itself."""
        return [self.network] * len(predictions.probabilities)


class FakeRuntime(Runtime):
    """A runtime over a given database whose every version is a FakeClassifier, and whose messages are only noted."""

    def __init__(self, settings: Settings, db: Database, classifier: FakeClassifier | None = None) -> None:
        super().__init__(settings)
        self._given_db = db
        self._classifier = classifier or FakeClassifier()
        self.warm: list[int] = []
        self.n_woken = 0
        self.sent_trainings: list[int] = []
        self.n_conversions_sent = 0

    @cached_property
    def db(self) -> Database:
        return self._given_db

    @cached_property
    def tasks(self) -> "FakeRuntime":  # type: ignore[override]
        return self

    @cached_property
    def decoders(self) -> DecoderPool:
        return decoders.shared_pool(self.settings.decoder, self.settings.decode_timeout_s)

    @cached_property
    def slow_decoders(self) -> DecoderPool:
        return self.decoders

    def wake_inference(self, n_chunks: int) -> None:
        """Count the chunks of messages."""
        self.n_woken += n_chunks

    def send_trainings(self, job_ids: list[int]) -> None:
        """Note the trainings of messages."""
        self.sent_trainings += job_ids

    def send_conversion(self) -> None:
        """Count the message."""
        self.n_conversions_sent += 1

    def send_purge(self) -> None:
        """Nothing waits for it."""

    def classifier(self, version_id: int) -> FakeClassifier:  # type: ignore[override]
        self.warm = [version_id]
        return self._classifier

    def warm_versions(self) -> list[int]:
        """The version that was asked for last."""
        return self.warm
