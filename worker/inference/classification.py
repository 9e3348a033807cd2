"""One chunk: predict and record what `next_chunk` has claimed, read and decoded.

    next_chunk ─► set slow images aside ─► the network, batch by batch ─► record every second ─► store features, record
      │ BlobMissing                                                          │                     │
      │ ImageError: this image's result                      LeaseLost: discard         store full: do without

No transaction is open while images are decoded or networks run.
"""

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.exc import SQLAlchemyError

from core.base.database import is_away
from core.base.errors import BlobMissing, ErrorCode, ImageError, LeaseLost, Unavailable
from core.base.leases import MAX_ATTEMPTS, RETRY_S, pause_s
from core.decoding import similarity_order
from core.decoding.decoded import Decoded
from core.jobs import chunks, job_states
from core.jobs.chunks import ChunkImage, Claim
from core.jobs.fair_share import Lane
from core.jobs.record_results import Outcome
from core.messaging.broker import INFERENCE
from core.operations.metrics import CHUNKS, IMAGES, LEASES, STAGES
from model.inference.predictions import Predictions, encode_activation_map
from worker.inference.chunk_results import ChunkFeatures, ChunkResults
from worker.inference.claiming import release
from worker.inference.next_chunk import FIRST_PASS_S, ChunkLine, DecodedImages, NextChunk
from worker.process.runtime import Runtime

if TYPE_CHECKING:
    from model.inference.classifier import Classifier

log = structlog.get_logger()
GOOD = "good"  # next to the error codes
SLICE_S = 10.0


def classify_ready(runtime: Runtime) -> None:
    """Classify what is ready, chunk by chunk. A repeated or late message is harmless.

    While one chunk goes through the network, the next is claimed and decoded. After a while the message is sent again,
    so that a worker that is asked to stop can do so between two tasks.
    """
    line = ChunkLine(runtime, time.monotonic() + SLICE_S)
    try:
        while (chunk := line.take()) is not None:
            if not finish(runtime, chunk):
                return
        runtime.tasks.wake_inference(1)
    except BaseException:  # the worker is stopping: release the leases
        line.drop()
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
        _classify(runtime, claim, chunk)
    except LeaseLost as error:
        log.info("lease_lost", reason=error.message)
        runtime.meter.count(CHUNKS, outcome="dropped")
    except Unavailable as error:  # the store does not answer: the chunk is not to blame, so the attempt is not counted
        log.warning("store_away", reason=error.message)
        runtime.meter.count(CHUNKS, outcome="store_away")
        release(runtime, claim, RETRY_S)
    except Exception as error:  # any other error costs this attempt, not the worker
        if is_away(error):
            log.warning("database_away", reason=str(error))
            return release(runtime, claim, RETRY_S)
        log.exception("chunk_failed", attempt=claim.attempts)
        runtime.meter.count(CHUNKS, outcome="failed")
        _give_back(runtime, claim, error)
    except BaseException:  # the worker is stopping: release the lease
        release(runtime, claim)
        raise


def _classify(runtime: Runtime, claim: Claim, chunk: NextChunk) -> None:
    """Predict and record the images of a chunk as they are decoded, then its features and its end."""
    classifier = runtime.classifier(claim.model_version_id)
    results, kept = ChunkResults(runtime, claim), ChunkFeatures(claim, classifier.body)
    n_slow, n_stored, predict_s = 0, 0, 0.0
    for piece in chunk.pieces(classifier.batch_size):
        images, slow = _set_slow_aside(runtime, claim, piece)
        good, failed = _sort(images.images, images.decoded)
        pixels = _stack([picture for _, picture in good], classifier.side_px)
        predictions, seconds = _predict(runtime, classifier, pixels)
        kept.add([image for image, _ in good], predictions.features, pixels)
        networks = [_unless(claim.network, name) for name in classifier.name_networks(predictions)]
        results.add(failed + _outcomes_of(good, predictions, pixels, networks))
        n_slow, n_stored, predict_s = n_slow + len(slow), piece.n_stored, predict_s + seconds
    runtime.meter.time(STAGES, predict_s, stage="predict")
    results.end(kept.store(runtime, len(results.outcomes), n_stored), has_slow=n_slow > 0)
    _note_outcomes(runtime, claim, results.outcomes, n_slow=n_slow)


def _predict(runtime: Runtime, classifier: "Classifier", pixels: NDArray[np.uint8]) -> tuple[Predictions, float]:
    """The predictions for some images, and the seconds that they took."""
    with runtime.predicting:
        began = time.monotonic()
        predictions = classifier.predict_with_features(pixels, on_batch=runtime.predicting.give_way)
        seconds = time.monotonic() - began
    if len(predictions.probabilities) != len(pixels):
        raise RuntimeError(f"expected {len(pixels)} answers from the network, got {len(predictions.probabilities)}")
    return predictions, seconds


def _set_slow_aside(runtime: Runtime, claim: Claim, piece: DecodedImages) -> tuple[DecodedImages, list[ChunkImage]]:
    """The images without those that the first pass did not decode in time, and these."""
    if claim.is_slow or runtime.settings.decode_timeout_s <= FIRST_PASS_S:
        return piece, []
    in_time = DecodedImages([], [], piece.n_stored)
    slow: list[ChunkImage] = []
    for image, one in zip(piece.images, piece.decoded, strict=True):
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


def _give_back(runtime: Runtime, claim: Claim, error: Exception) -> None:
    """Release a chunk that failed. The reconciler requeues it until it has had too many attempts."""
    reason = f"{type(error).__name__}: {error}"
    is_hopeless = claim.attempts >= MAX_ATTEMPTS or isinstance(error, BlobMissing)
    try:
        with runtime.db.write() as session:
            if is_hopeless:
                sentence = f"A part of the upload could not be classified after {claim.attempts} attempts. {reason}"
                job_states.fail_job(session, claim.job_id, sentence)
            chunks.release_chunk(session, claim, reason, pause_s(claim.attempts))
    except SQLAlchemyError as lost:  # then the lease expires instead
        log.warning("release_failed", error=str(lost))


def _outcomes_of(
    good: list[tuple[ChunkImage, Decoded]],
    predictions: Predictions,
    pixels: NDArray[np.uint8],
    networks: list[str | None],
) -> list[Outcome]:
    keys = similarity_order.similarity_keys(pixels).tolist()
    return [
        _complete(
            Outcome(image.image_id, warning=picture.warning, similarity_key=keys[row], network=networks[row]),
            predictions,
            row,
        )
        for row, (image, picture) in enumerate(good)
    ]


def _complete(outcome: Outcome, predictions: Predictions, row: int) -> Outcome:
    probabilities, evidence = predictions.probabilities[row], predictions.evidence
    heat = None if evidence is None else encode_activation_map(evidence[row], int(probabilities.argmax()))
    return replace(outcome, probabilities=probabilities.tolist(), heat=heat)


def _unless(network: str | None, name: str) -> str | None:
    """The name of a network, unless it is the version's own."""
    return None if name == network else name


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
