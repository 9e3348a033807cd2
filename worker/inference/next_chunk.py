"""The next chunk: claimed, read and decoded on a thread, while the chunk before it goes through the network.

Decoded images are handed on a few at a time, so that the results of a slow chunk come as it goes.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from core.base.errors import ErrorCode, ImageError
from core.base.leases import MAX_ATTEMPTS
from core.decoding.decoded import Decoded
from core.jobs import chunks
from core.jobs.chunks import ChunkImage, Claim
from core.jobs.fair_share import Lane
from core.operations.metrics import STAGES
from core.uploads import decode_budget
from worker.inference.claiming import claim_next, release
from worker.process.decoding import decode_stored_pieces
from worker.process.runtime import Runtime

if TYPE_CHECKING:
    from model.inference.classifier import Classifier

# Images that a child decodes before it hands them on, unless they are large. End to end, `seed-cnn` and small originals
# reach 0.98 of decoding in place; with 16, it was 0.92.
PIECE = 64
CLAIMING_S = 5.0  # how long a worker that stops waits for a claim that is under way
FIRST_PASS_S = 2.0  # of processor time for each image; what takes longer is decoded last, by the slow lane


@dataclass(frozen=True)
class DecodedImages:
    """Some images of a chunk that had no result.

    Attributes:
        decoded: The pixels or the error of each image.
        n_stored: Of how many images of the shard features are stored.
    """

    images: list[ChunkImage]
    decoded: list[Decoded | ImageError]
    n_stored: int


class NextChunk:
    """Begins when it is made. The lease is kept until `close`, or given up by `drop`."""

    def __init__(
        self, runtime: Runtime, lane: Lane = Lane.MAIN, on_decoded: Callable[[], object] = lambda: None
    ) -> None:
        """Begin.

        Args:
            on_decoded: Called on the thread of the chunk when nothing of it is left to decode.
        """
        self._runtime = runtime
        self._lane = lane
        self._on_decoded = on_decoded
        self._leases = ExitStack()
        self._lock = threading.Lock()
        self._claim: Claim | None = None
        self._is_over = False
        self._is_claimed = threading.Event()
        self.is_decoded = False
        self._decoded: SimpleQueue[DecodedImages | None] = SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="next-chunk", daemon=True)
        self._thread.start()

    def wait(self) -> Claim | None:
        """Wait until the chunk is claimed; None if nothing is ready.

        Raises:
            Exception: What claiming a chunk raised.
        """
        self._is_claimed.wait()
        if self._claim is None and self._error is not None:
            raise self._error
        return self._claim

    def pieces(self, n_least: int) -> Iterator[DecodedImages]:
        """The images, at least so many at a time but for the last ones, as they are decoded.

        Raises:
            Exception: What reading or decoding raised.
        """
        waiting: list[DecodedImages] = []
        while (piece := self._decoded.get()) is not None:
            waiting.append(piece)
            if sum(len(one.images) for one in waiting) >= n_least:
                yield _join(waiting)
                waiting = []
        if self._error is not None:
            raise self._error
        if waiting:
            yield _join(waiting)

    def join(self) -> None:
        """Wait until nothing is decoded any more."""
        self._thread.join()

    def close(self) -> None:
        """Stop keeping the lease: the chunk is recorded, or released."""
        self._is_over = True
        self._leases.close()

    def drop(self) -> None:
        """Release the chunk as if it had not been claimed; what is decoded meanwhile is of no use."""
        with self._lock:
            self._is_over = True
            claim = self._claim
        if claim is not None:
            self._release(claim)
        else:
            self._is_claimed.wait(CLAIMING_S)  # what is being claimed at this moment is released by the thread

    def _run(self) -> None:
        try:
            claim = claim_next(self._runtime, self._lane)
            with self._lock:
                self._claim = claim
                is_over = self._is_over
            if claim is None:
                return
            if is_over:
                return self._release(claim)
            if self._runtime.heartbeat is not None:
                self._leases.enter_context(self._runtime.heartbeat.holding(claim))
            self._is_claimed.set()
            self._decode(claim)
        except BaseException as error:  # raised again by the thread that waits
            self._error = error
        finally:
            self.is_decoded = self._claim is not None
            self._is_claimed.set()
            self._decoded.put(None)
        if self.is_decoded:
            self._on_decoded()

    def _decode(self, claim: Claim) -> None:
        if claim.attempts > MAX_ATTEMPTS:
            return
        time.sleep(self._runtime.settings.pause_after_claim_s)
        for piece in decode_chunk(self._runtime, claim, self._runtime.classifier(claim.model_version_id)):
            if self._is_over:
                return
            self._decoded.put(piece)

    def _release(self, claim: Claim) -> None:
        self.close()
        release(self._runtime, claim)


class ChunkLine:
    """Chunks one after the other: while one goes through the network, the next is claimed and decoded."""

    def __init__(self, runtime: Runtime, until: float) -> None:
        """Begin with the first chunk.

        Args:
            until: On the monotonic clock; afterwards no chunk is begun.
        """
        self._runtime = runtime
        self._until = until
        self._lock = threading.Lock()
        self._is_closed = False
        self._taken: NextChunk | None = None
        with self._lock:  # a small chunk may be decoded before its thread has returned
            self._next: NextChunk | None = NextChunk(runtime, on_decoded=self._begin_next)

    def take(self) -> NextChunk | None:
        """The next chunk, once the one before is finished; None if the time is up."""
        if self._taken is not None:
            self._taken.join()
        with self._lock:
            taken, self._taken, self._next = self._next, self._next, None
        self._begin_next()
        return taken

    def drop(self) -> None:
        """Release what is not finished."""
        with self._lock:
            self._is_closed = True
            under_way = [chunk for chunk in (self._taken, self._next) if chunk is not None]
        for chunk in under_way:
            chunk.drop()

    def _begin_next(self) -> None:
        """Begin with the next chunk once the one that goes through the network is decoded."""
        with self._lock:
            is_due = self._next is None and self._taken is not None and self._taken.is_decoded
            if is_due and not self._is_closed and time.monotonic() < self._until:
                self._next = NextChunk(self._runtime, on_decoded=self._begin_next)


def decode_chunk(runtime: Runtime, claim: Claim, classifier: "Classifier") -> Iterator[DecodedImages]:
    """Read and decode a claimed chunk, for the size and features of this network, a few images at a time."""
    with runtime.db.read() as session:
        images, n_stored = chunks.read_chunk(session, claim, classifier.body)
    with runtime.meter.timing(STAGES, stage="read"):
        data = runtime.blobs.get(claim.blob_key)
    with runtime.meter.timing(STAGES, stage="decode"):
        n_done = 0
        for decoded in _decode_pieces(runtime, claim, images, data, classifier.side_px):
            yield DecodedImages(images[n_done : n_done + len(decoded)], decoded, n_stored)
            n_done += len(decoded)


def _decode_pieces(
    runtime: Runtime, claim: Claim, images: list[ChunkImage], data: memoryview, side_px: int
) -> Iterator[list[Decoded | ImageError]]:
    if claim.is_slow:
        return ([_decode_slow(runtime, claim, image, data, side_px)] for image in images)
    cpu_s = min(FIRST_PASS_S, runtime.settings.decode_timeout_s)
    return decode_stored_pieces(runtime.decoders, images, data, side_px, cpu_s, PIECE)


def _join(pieces: list[DecodedImages]) -> DecodedImages:
    images = [image for piece in pieces for image in piece.images]
    return DecodedImages(images, [one for piece in pieces for one in piece.decoded], pieces[0].n_stored)


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
