"""The results and features of one chunk, collected as its images go through the network.

Results are recorded about every second, so that a job on a slow machine is seen to move; features are stored once, at
the end.
"""

import time
from dataclasses import replace

import numpy as np
import structlog
from numpy.typing import NDArray

from core.base.errors import LeaseLost
from core.jobs import record_results
from core.jobs.chunks import ChunkImage, Claim
from core.jobs.record_results import Outcome, Rest
from core.operations.metrics import STAGES
from core.storage.blobs import features_key
from core.training import features
from core.training.features import FeatureBlob
from model.arrays.near_duplicates import SIDE, sketch
from worker.process.runtime import Runtime

log = structlog.get_logger()
RECORD_EVERY_S = 1.0


class ChunkResults:
    """Results of a chunk. Each is recorded under the fence of the claim."""

    def __init__(self, runtime: Runtime, claim: Claim) -> None:
        self.outcomes: list[Outcome] = []
        self._runtime = runtime
        self._claim = claim
        self._n_recorded = 0
        self._recorded_at = time.monotonic()

    def add(self, outcomes: list[Outcome]) -> None:
        """Add results of some images; more follow.

        Raises:
            LeaseLost: Another worker has the chunk by now, or the job was cancelled or deleted.
        """
        if len(self.outcomes) > self._n_recorded and time.monotonic() - self._recorded_at >= RECORD_EVERY_S:
            self._record(Rest.MORE, None)
        self.outcomes += outcomes

    def end(self, stored: FeatureBlob | None, *, has_slow: bool) -> None:
        """Record what is left, and the end of the chunk.

        Args:
            stored: The blob of its features, if stored.
            has_slow: Whether images that take long were set aside.
        Raises:
            LeaseLost: As `add`.
        """
        self._record(Rest.SLOW if has_slow else Rest.NOTHING, stored)

    def _record(self, rest: Rest, stored: FeatureBlob | None) -> None:
        try:
            with self._runtime.meter.timing(STAGES, stage="record"), self._runtime.db.write() as session:
                record_results.record(session, self._claim, self.outcomes[self._n_recorded :], rest)
                if stored is not None:
                    features.add(session, stored)
        except LeaseLost:
            if stored is not None:
                self._runtime.blobs.delete([stored.blob_key])
            raise
        self._n_recorded = len(self.outcomes)
        self._recorded_at = time.monotonic()


class ChunkFeatures:
    """Features of a chunk's good images, and their sketches."""

    def __init__(self, claim: Claim, body: str) -> None:
        self._claim = claim
        self._body = body
        self._contents: list[bytes] = []
        self._features: list[NDArray[np.float16]] = []
        self._sketches: list[NDArray[np.uint8]] = []

    def add(self, images: list[ChunkImage], rows: NDArray[np.float16], pixels: NDArray[np.uint8]) -> None:
        """Add the features of some images: float16 (N, F); pixels as uint8 (N, side_px, side_px, 3)."""
        if not images:
            return
        self._contents += [image.sha256 for image in images]
        self._features.append(rows)
        if pixels.shape[1] >= SIDE:
            self._sketches.append(sketch(pixels))

    def store(self, runtime: Runtime, n_images: int, n_stored: int) -> FeatureBlob | None:
        """Store them if possible, and if those of fewer images were stored before.

        Results do not depend on it, since features can be computed again.
        """
        if not self._contents or n_images <= n_stored:
            return None
        blob = FeatureBlob(self._claim.shard_id, self._body, features_key(self._claim.blob_key), n_images)
        try:
            sketches = np.concatenate(self._sketches) if self._sketches else None
            packed = features.pack(self._contents, np.concatenate(self._features), sketches)
            runtime.blobs.put(blob.blob_key, packed)
        except Exception as error:  # a full disk or a store that does not answer must not cost a result
            log.warning("features_not_kept", shard_id=blob.shard_id, reason=str(error))
            return None
        return replace(blob, n_bytes=len(packed))
