"""One chunk: predict and record what `next_chunk` has claimed, read and decoded.

    next_chunk ─► set slow images aside ─► one batch through the network ─► store features ─► record
      │ BlobMissing                                                          │             │
      │ ImageError: this image's result                      store full: do without   LeaseLost: discard

No transaction is open while images are decoded or networks run.
"""

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import BlobMissing, ErrorCode, ImageError, ImageWarning, LeaseLost, Unavailable
from core.decoding import similarity_order
from core.decoding.decoded import Decoded
from core.jobs import chunks, job_states, record_results
from core.jobs.chunks import MAX_ATTEMPTS, ChunkImage, Claim
from core.jobs.fair_share import Lane
from core.jobs.record_results import Outcome
from core.messaging.broker import INFERENCE
from core.operations.metrics import CHUNKS, IMAGES, LEASES, STAGES
from core.storage.blobs import features_key
from core.training import features
from core.training.features import FeatureBlob
from model.arrays.near_duplicates import SIDE, sketch
from model.inference.predictions import Predictions, encode_activation_map
from worker.inference.next_chunk import FIRST_PASS_S, DecodedChunk, NextChunk
from worker.process.runtime import Runtime

log = structlog.get_logger()
GOOD = "good"  # next to the error codes
SLICE_S = 10.0


def classify_ready(runtime: Runtime) -> None:
    """Classify what is ready, chunk by chunk. A repeated or late message is harmless.

    While one chunk goes through the network, the next is claimed and decoded. After a while the message is sent again,
    so that a worker that is asked to stop can do so between two tasks.
    """
    give_up_at = time.monotonic() + SLICE_S
    following: NextChunk | None = NextChunk(runtime)
    try:
        while following is not None and following.wait() is not None:
            chunk, following = following, NextChunk(runtime) if time.monotonic() < give_up_at else None
            finish(runtime, chunk)
            if following is None:
                runtime.tasks.wake_inference(1)
    except BaseException:  # the worker is stopping: release the lease
        if following is not None:
            following.drop()
        raise


def classify_next(runtime: Runtime, lane: Lane = Lane.MAIN) -> bool:
    """Classify the chunk whose turn it is; False if none is ready."""
    chunk = NextChunk(runtime, lane)
    try:
        return finish(runtime, chunk)
    except BaseException:
        chunk.drop()
        raise


def finish(runtime: Runtime, chunk: NextChunk) -> bool:
    """Predict and record a chunk; False if there is none."""
    claim = chunk.wait()
    if claim is None:
        return False
    with structlog.contextvars.bound_contextvars(job_id=claim.job_id, chunk_id=claim.chunk_id, fence=claim.fence):
        try:
            _note_claim(runtime, claim)
            _work(runtime, claim, chunk)
        finally:
            chunk.close()
    return True


def _note_claim(runtime: Runtime, claim: Claim) -> None:
    runtime.meter.time(STAGES, claim.waited_s or 0.0, stage="wait")
    if claim.is_taken_over:
        log.warning("chunk_taken_over", attempt=claim.attempts, note="its last worker stopped sending heartbeats")
        runtime.meter.count(LEASES, queue=INFERENCE)


def _work(runtime: Runtime, claim: Claim, chunk: NextChunk) -> None:
    if claim.attempts > MAX_ATTEMPTS:
        return _give_back(runtime, claim, RuntimeError("The worker died each time."))
    try:
        images, slow = _set_slow_aside(runtime, claim, chunk.result())
        outcomes, stored = _classify(runtime, claim, images)
        with runtime.meter.timing(STAGES, stage="record"):
            _record(runtime, claim, outcomes, stored, is_whole=not slow)
        _note_outcomes(runtime, claim, outcomes, n_slow=len(slow))
    except LeaseLost as error:
        log.info("lease_lost", reason=error.message)
        runtime.meter.count(CHUNKS, outcome="dropped")
    except Unavailable as error:  # the store does not answer: the chunk is not to blame, so the attempt is not counted
        log.warning("store_away", reason=error.message)
        runtime.meter.count(CHUNKS, outcome="store_away")
        _release(runtime, claim, chunks.RETRY_S)
    except Exception as error:  # any other error costs this attempt, not the worker
        log.exception("chunk_failed", attempt=claim.attempts)
        runtime.meter.count(CHUNKS, outcome="failed")
        _give_back(runtime, claim, error)
    except BaseException:  # the worker is stopping: release the lease
        _release(runtime, claim)
        raise


def _set_slow_aside(runtime: Runtime, claim: Claim, chunk: DecodedChunk) -> tuple[DecodedChunk, list[ChunkImage]]:
    """The chunk without the images that the first pass did not decode in time, and these images."""
    if claim.is_slow or runtime.settings.decode_timeout_s <= FIRST_PASS_S:
        return chunk, []
    in_time = DecodedChunk([], [], chunk.n_stored)
    slow: list[ChunkImage] = []
    for image, one in zip(chunk.images, chunk.decoded, strict=True):
        if isinstance(one, ImageError) and one.code == ErrorCode.DECODE_TIMEOUT:
            slow.append(image)
        else:
            in_time.images.append(image)
            in_time.decoded.append(one)
    return in_time, slow


def _note_outcomes(runtime: Runtime, claim: Claim, outcomes: list[Outcome], n_slow: int) -> None:
    failed: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.error_code is not None:
            failed.setdefault(outcome.error_code, []).append(outcome.image_id)
    for code, n in Counter(outcome.error_code or GOOD for outcome in outcomes).items():
        runtime.meter.count(IMAGES, n, outcome=code)
    runtime.meter.count(CHUNKS, outcome="set_aside" if n_slow else "done")
    engine = runtime.name_engine(claim.model_version_id)
    log.info("chunk_done", n_images=len(outcomes), failed_image_ids=failed, n_set_aside=n_slow, engine=engine)


def _release(runtime: Runtime, claim: Claim, pause_s: float = 0.0) -> None:
    """Release a chunk as if it had not been claimed."""
    with runtime.db.write() as session:
        chunks.release_chunk(session, claim, pause_s=pause_s)


def _give_back(runtime: Runtime, claim: Claim, error: Exception) -> None:
    """Release a chunk that failed. The reconciler requeues it until it has had too many attempts."""
    reason = f"{type(error).__name__}: {error}"
    is_hopeless = claim.attempts >= MAX_ATTEMPTS or isinstance(error, BlobMissing)
    try:
        with runtime.db.write() as session:
            if is_hopeless:
                sentence = f"A part of the upload could not be classified after {claim.attempts} attempts. {reason}"
                job_states.fail_job(session, claim.job_id, sentence)
            chunks.release_chunk(session, claim, reason, chunks.RETRY_S)
    except SQLAlchemyError as lost:  # then the lease expires instead
        log.warning("release_failed", error=str(lost))


def _record(
    runtime: Runtime, claim: Claim, outcomes: list[Outcome], stored: FeatureBlob | None, *, is_whole: bool
) -> None:
    try:
        with runtime.db.write() as session:
            record_results.record(session, claim, outcomes, is_whole=is_whole)
            if stored is not None:
                features.add(session, stored)
    except LeaseLost:
        if stored is not None:
            runtime.blobs.delete([stored.blob_key])
        raise


def _classify(runtime: Runtime, claim: Claim, chunk: DecodedChunk) -> tuple[list[Outcome], FeatureBlob | None]:
    """The outcome of each image, and the blob of the good ones' features, if stored."""
    classifier = runtime.classifier(claim.model_version_id)
    blob = _plan_blob(claim, classifier.body, len(chunk.images), chunk.n_stored)
    good, failed = _sort(chunk.images, chunk.decoded)
    pixels = _stack([picture for _, picture in good], classifier.side_px)
    with runtime.predicting, runtime.meter.timing(STAGES, stage="predict"):
        predictions = classifier.predict_with_features(pixels, on_batch=runtime.predicting.give_way)
    if len(predictions.probabilities) != len(good):
        raise RuntimeError(f"expected {len(good)} answers from the network, got {len(predictions.probabilities)}")
    good_images = [image for image, _ in good]
    stored = None if blob is None else _store_features(runtime, blob, good_images, predictions, pixels)
    similarity_keys = similarity_order.similarity_keys(pixels).tolist()
    outcomes = [
        _outcome(image, predictions, row, similarity_keys[row], picture.warning)
        for row, (image, picture) in enumerate(good)
    ]
    return failed + outcomes, stored


def _outcome(
    image: ChunkImage, predictions: Predictions, row: int, similarity_key: int, warning: ImageWarning | None
) -> Outcome:
    probabilities, evidence = predictions.probabilities[row], predictions.evidence
    heat = None if evidence is None else encode_activation_map(evidence[row], int(probabilities.argmax()))
    return Outcome(image.image_id, probabilities.tolist(), heat=heat, similarity_key=similarity_key, warning=warning)


def _plan_blob(claim: Claim, body: str, n_images: int, n_stored: int) -> FeatureBlob | None:
    """The blob for the features of a chunk; None if as many were stored before."""
    if n_images <= n_stored:
        return None
    return FeatureBlob(claim.shard_id, body, features_key(claim.blob_key), n_images)


def _store_features(
    runtime: Runtime, blob: FeatureBlob, images: list[ChunkImage], predictions: Predictions, pixels: NDArray[np.uint8]
) -> FeatureBlob | None:
    """Store features if possible. Results do not depend on it, since features can be computed again."""
    if not images:
        return None
    try:
        sketches = None if pixels.shape[1] < SIDE else sketch(pixels)
        packed = features.pack([image.sha256 for image in images], predictions.features, sketches)
        runtime.blobs.put(blob.blob_key, packed)
    except Exception as error:  # a full disk or a store that does not answer must not cost a result
        log.warning("features_not_kept", shard_id=blob.shard_id, reason=str(error))
        return None
    return replace(blob, n_bytes=len(packed))


def _sort(
    images: list[ChunkImage], decoded: list[Decoded | ImageError]
) -> tuple[list[tuple[ChunkImage, Decoded]], list[Outcome]]:
    """The good images with their pixels, and the outcomes of the others."""
    good: list[tuple[ChunkImage, Decoded]] = []
    failed: list[Outcome] = []
    for image, one in zip(images, decoded, strict=True):
        if isinstance(one, ImageError):
            failed.append(Outcome(image.image_id, error_code=one.code, error_detail=one.detail))
        else:
            good.append((image, one))
    return good, failed


def _stack(pictures: list[Decoded], side_px: int) -> NDArray[np.uint8]:
    """uint8 (N, side_px, side_px, 3), 0 to 255, of N pictures, which may be none."""
    if not pictures:
        return np.empty((0, side_px, side_px, 3), np.uint8)
    return np.stack([picture.pixels for picture in pictures])
