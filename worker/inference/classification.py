"""One chunk: claim, read, decode, look, record.

    claim ─► read shard ─► decode each image ─► one batch through the network ─► keep features ─► record
      │          │                │                                                   │             │
     None    BlobMissing      ImageError: this image's result             store full: do without   LeaseLost: drop it

No transaction is open while pixels or networks are at work.
"""

import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import BadWeights, BlobMissing, ImageError, LeaseLost, Unavailable
from core.decoding import similarity_order
from core.jobs import chunks, job_states, record_results
from core.jobs.chunks import MAX_ATTEMPTS, ChunkImage, Claim
from core.jobs.record_results import Outcome
from core.messaging.broker import INFERENCE
from core.operations.metrics import CHUNKS, IMAGES, LEASES, STAGES
from core.storage.blobs import features_key
from core.training import features
from core.training.features import FeatureBlob
from model.arrays.near_duplicates import SIDE, sketch
from model.inference.predictions import Predictions, encode_activation_map
from worker.process.decoding import Decoder, decode_stored, open_decoder
from worker.process.runtime import Runtime

if TYPE_CHECKING:
    from model.inference.classifier import Classifier

log = structlog.get_logger()
GOOD = "good"  # beside the codes of errors


def classify_chunk(runtime: Runtime, chunk_id: int) -> None:
    """Classify a chunk if nobody else does; a message that came twice or too late ends here without harm."""
    claim = _claim(runtime, chunk_id, runtime.warm_versions())
    if claim is None and _has_network(runtime, chunk_id):
        claim = _claim(runtime, chunk_id)
    if claim is None:
        return
    classifier = runtime.classifier(claim.model_version_id)
    with (
        structlog.contextvars.bound_contextvars(job_id=claim.job_id, chunk_id=claim.chunk_id, fence=claim.fence),
        runtime.heartbeat.holding(claim) if runtime.heartbeat else nullcontext(),
    ):
        _note_claim(runtime, claim)
        _work(runtime, claim, classifier)


def _note_claim(runtime: Runtime, claim: Claim) -> None:
    runtime.meter.time(STAGES, claim.waited_s or 0.0, stage="wait")
    if claim.is_taken_over:
        log.warning("chunk_taken_over", attempt=claim.attempts, note="its last worker fell silent")
        runtime.meter.count(LEASES, queue=INFERENCE)


def _claim(runtime: Runtime, chunk_id: int, versions: list[int] | None = None) -> Claim | None:
    """Take a chunk; with `versions` only if it is for one of them, so that most chunks take one statement to claim."""
    if versions == []:
        return None
    worker_id = runtime.heartbeat.worker_id if runtime.heartbeat else None
    with runtime.db.write() as session:
        return chunks.claim_chunk(session, chunk_id, worker_id, runtime.settings.lease_s, versions)


def _has_network(runtime: Runtime, chunk_id: int) -> bool:
    """Get the network for a chunk warm, before anybody claims it; False when there is nothing to do."""
    with runtime.db.read() as session:
        wanted = chunks.find_work(session, chunk_id)
    if wanted is None:
        return False
    try:
        runtime.classifier(wanted.model_version_id)
    except BadWeights as error:
        with runtime.db.write() as session:
            job_states.fail_job(session, wanted.job_id, error.message)
        log.error("version_unusable", version=wanted.model_version_id, reason=error.message)
        return False
    return True


def _work(runtime: Runtime, claim: Claim, classifier: "Classifier") -> None:
    if claim.attempts > MAX_ATTEMPTS:
        return _give_back(runtime, claim, RuntimeError("Each time the worker died."))
    try:
        time.sleep(runtime.settings.pause_after_claim_s)
        outcomes, kept = _classify(runtime, claim, classifier)
        with runtime.meter.timing(STAGES, stage="record"):
            _record(runtime, claim, outcomes, kept)
        _note_outcomes(runtime, outcomes)
    except LeaseLost as error:
        log.info("lease_lost", reason=error.message)
        runtime.meter.count(CHUNKS, outcome="dropped")
    except Unavailable as error:  # the store is away: the chunk is not to blame, so the attempt is not counted
        log.warning("store_away", reason=error.message)
        runtime.meter.count(CHUNKS, outcome="store_away")
        _release(runtime, claim)
    except Exception as error:  # whatever it is, it costs this attempt and not the worker
        log.exception("chunk_failed", attempt=claim.attempts)
        runtime.meter.count(CHUNKS, outcome="failed")
        _give_back(runtime, claim, error)
    except BaseException:  # asked to stop: free the lease and go
        _release(runtime, claim)
        raise


def _note_outcomes(runtime: Runtime, outcomes: list[Outcome]) -> None:
    failed: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.error_code is not None:
            failed.setdefault(outcome.error_code, []).append(outcome.image_id)
    for code, n in Counter(outcome.error_code or GOOD for outcome in outcomes).items():
        runtime.meter.count(IMAGES, n, outcome=code)
    runtime.meter.count(CHUNKS, outcome="done")
    log.info("chunk_done", n_images=len(outcomes), failed_image_ids=failed)


def _release(runtime: Runtime, claim: Claim) -> None:
    """Free a chunk as if it had not been claimed."""
    with runtime.db.write() as session:
        chunks.release_chunk(session, claim)


def _give_back(runtime: Runtime, claim: Claim, error: Exception) -> None:
    """Free a chunk that failed; the reconciler rings again, until there have been too many attempts."""
    reason = f"{type(error).__name__}: {error}"
    is_hopeless = claim.attempts >= MAX_ATTEMPTS or isinstance(error, BlobMissing)
    try:
        with runtime.db.write() as session:
            if is_hopeless:
                sentence = f"A part of the upload could not be classified after {claim.attempts} attempts. {reason}"
                job_states.fail_job(session, claim.job_id, sentence)
            chunks.release_chunk(session, claim, reason)
    except SQLAlchemyError as lost:  # then the lease runs out instead
        log.warning("release_failed", error=str(lost))


def _record(runtime: Runtime, claim: Claim, outcomes: list[Outcome], kept: FeatureBlob | None) -> None:
    try:
        with runtime.db.write() as session:
            record_results.record(session, claim, outcomes)
            if kept is not None:
                features.add(session, kept)
    except LeaseLost:
        if kept is not None:
            runtime.blobs.delete([kept.blob_key])
        raise


def _classify(runtime: Runtime, claim: Claim, classifier: "Classifier") -> tuple[list[Outcome], FeatureBlob | None]:
    """What became of each image of the chunk that has no result yet, and the features of the good ones, if kept."""
    with runtime.db.read() as session:
        images, n_kept = chunks.read_chunk(session, claim, classifier.body)
    kept = _find_room(claim, classifier.body, len(images), n_kept)
    timing = runtime.meter.timing
    with timing(STAGES, stage="read"):
        data = runtime.blobs.get(claim.blob_key)
    with timing(STAGES, stage="decode"), open_decoder(runtime.settings, claim.attempts) as decode:
        pixels, good, failed = _decode(images, data, decode, classifier.side_px)
    with timing(STAGES, stage="predict"):
        looked = classifier.predict_with_features(pixels)
    if len(looked.probabilities) != len(good):
        raise RuntimeError(f"expected {len(good)} answers from the network, got {len(looked.probabilities)}")
    if kept is not None:
        kept = _put(runtime, kept, good, looked, pixels)
    similarity_keys = similarity_order.similarity_keys(pixels).tolist()
    return failed + [_outcome(image, looked, row, similarity_keys[row]) for row, image in enumerate(good)], kept


def _outcome(image: ChunkImage, looked: Predictions, row: int, similarity_key: int) -> Outcome:
    said = looked.probabilities[row]
    heat = None if looked.evidence is None else encode_activation_map(looked.evidence[row], int(said.argmax()))
    return Outcome(image.image_id, said.tolist(), heat=heat, similarity_key=similarity_key)


def _find_room(claim: Claim, body: str, n_images: int, n_kept: int) -> FeatureBlob | None:
    """The blob for the features of a chunk; None if as many were stored before."""
    if n_images <= n_kept:
        return None
    return FeatureBlob(claim.shard_id, body, features_key(claim.blob_key), n_images)


def _put(
    runtime: Runtime, kept: FeatureBlob, images: list[ChunkImage], looked: Predictions, pixels: NDArray[np.uint8]
) -> FeatureBlob | None:
    """Keep features if that can be done; results never wait for it, since features can be computed again."""
    if not images:
        return None
    try:
        sketches = None if pixels.shape[1] < SIDE else sketch(pixels)
        packed = features.pack([image.sha256 for image in images], looked.features, sketches)
        runtime.blobs.put(kept.blob_key, packed)
    except Exception as error:  # a full disk, a store that is away: whatever it is, it costs no result
        log.warning("features_not_kept", shard_id=kept.shard_id, reason=str(error))
        return None
    return replace(kept, n_bytes=len(packed))


def _decode(
    images: list[ChunkImage], data: memoryview, decode: Decoder, side_px: int
) -> tuple[NDArray[np.uint8], list[ChunkImage], list[Outcome]]:
    """Pixels (N, side_px, side_px, 3) of the N good images, those images, and the outcomes of the others."""
    pixels = np.empty((len(images), side_px, side_px, 3), np.uint8)
    good: list[ChunkImage] = []
    failed: list[Outcome] = []
    for image in images:
        try:
            pixels[len(good)] = decode_stored(image, data, decode, side_px)
        except ImageError as error:
            failed.append(Outcome(image.image_id, error_code=error.code))
        else:
            good.append(image)
    return pixels[: len(good)], good, failed
