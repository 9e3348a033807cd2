"""The next chunk: claimed, read and decoded on a thread, while the chunk before it goes through the network."""

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.base.errors import ErrorCode, ImageError
from core.decoding.decoded import Decoded
from core.jobs import chunks
from core.jobs.chunks import ChunkImage, Claim
from core.jobs.fair_share import Lane
from core.operations.metrics import STAGES
from core.uploads import decode_budget
from worker.inference.claiming import claim_next
from worker.process.decoding import decode_stored
from worker.process.runtime import Runtime

if TYPE_CHECKING:
    from model.inference.classifier import Classifier

FIRST_PASS_S = 2.0  # of processor time for each image; what takes longer is decoded last, by the slow lane


@dataclass(frozen=True)
class DecodedChunk:
    """The images of a chunk that have no result yet.

    Attributes:
        decoded: The pixels or the error of each image.
        n_stored: Of how many images of the shard features are stored.
    """

    images: list[ChunkImage]
    decoded: list[Decoded | ImageError]
    n_stored: int


class NextChunk:
    """Begins when it is made. The lease is kept until `close`, or given up by `drop`."""

    def __init__(self, runtime: Runtime, lane: Lane = Lane.MAIN) -> None:
        self._runtime = runtime
        self._lane = lane
        self._leases = ExitStack()
        self._lock = threading.Lock()
        self._claim: Claim | None = None
        self._is_dropped = False
        self._decoded: DecodedChunk | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="next-chunk", daemon=True)
        self._thread.start()

    def wait(self) -> Claim | None:
        """Wait until the chunk is decoded; None if nothing is ready.

        Raises:
            Exception: What claiming a chunk raised.
        """
        self._thread.join()
        if self._claim is None and self._error is not None:
            raise self._error
        return self._claim

    def result(self) -> DecodedChunk:
        """The decoded images.

        Raises:
            Exception: What reading or decoding raised.
        """
        if self._error is not None:
            raise self._error
        assert self._decoded is not None
        return self._decoded

    def close(self) -> None:
        """Stop keeping the lease: the chunk is recorded, or released."""
        self._leases.close()

    def drop(self) -> None:
        """Release the chunk as if it had not been claimed; what is decoded meanwhile is of no use."""
        with self._lock:
            self._is_dropped = True
            claim = self._claim
        if claim is not None:
            self._release(claim)

    def _run(self) -> None:
        try:
            claim = claim_next(self._runtime, self._lane)
            with self._lock:
                self._claim = claim
                is_dropped = self._is_dropped
            if claim is None:
                return
            if is_dropped:
                return self._release(claim)
            if self._runtime.heartbeat is not None:
                self._leases.enter_context(self._runtime.heartbeat.holding(claim))
            if claim.attempts <= chunks.MAX_ATTEMPTS:
                time.sleep(self._runtime.settings.pause_after_claim_s)
                self._decoded = decode_chunk(self._runtime, claim, self._runtime.classifier(claim.model_version_id))
        except BaseException as error:  # raised again by the thread that waits
            self._error = error

    def _release(self, claim: Claim) -> None:
        self.close()
        with self._runtime.db.write() as session:
            chunks.release_chunk(session, claim)


def decode_chunk(runtime: Runtime, claim: Claim, classifier: "Classifier") -> DecodedChunk:
    """Read and decode a claimed chunk, for the size and features of this network."""
    with runtime.db.read() as session:
        images, n_stored = chunks.read_chunk(session, claim, classifier.body)
    with runtime.meter.timing(STAGES, stage="read"):
        data = runtime.blobs.get(claim.blob_key)
    with runtime.meter.timing(STAGES, stage="decode"):
        if claim.is_slow:
            decoded = [_decode_slow(runtime, claim, image, data, classifier.side_px) for image in images]
        else:
            cpu_s = min(FIRST_PASS_S, runtime.settings.decode_timeout_s)
            decoded = decode_stored(runtime.decoders, images, data, classifier.side_px, cpu_s)
    return DecodedChunk(images, decoded, n_stored)


def _decode_slow(
    runtime: Runtime, claim: Claim, image: ChunkImage, data: memoryview, side_px: int
) -> Decoded | ImageError:
    """Decode an image that takes long, within what is left of its upload's time."""
    if image.declared_bytes is not None:
        return ImageError(ErrorCode.TOO_MANY_BYTES)
    with runtime.db.read() as session:
        budget_s = decode_budget.read_budget(session, claim.shard_id)
    if not budget_s:
        return ImageError(ErrorCode.DECODE_TIMEOUT)
    file = data[image.offset : image.offset + image.n_bytes]
    limit_s = min(budget_s, runtime.settings.decode_timeout_s)
    decoded, cpu_s = runtime.slow_decoders.decode_timed(file, side_px, limit_s)
    with runtime.db.write() as session:
        decode_budget.add_spent(session, claim.shard_id, cpu_s)
    return decoded
