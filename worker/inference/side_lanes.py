"""The side lanes of an inference process: threads for chunks that the main loop does not take, or not soon enough.

    slow lane      images that take long to decode: one at a time, in a child at the lowest priority
    express lane   jobs of which nothing runs, while the network is busy with others: predictions take turns

Both use the networks of the main loop.
"""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import PawsortError
from core.jobs.fair_share import Lane
from worker.inference import classification
from worker.inference.next_chunk import NextChunk
from worker.process.runtime import Runtime

log = structlog.get_logger()
EXPRESS_S = 0.5


def start_side_lanes(runtime: Runtime) -> "list[SideLane]":
    """Start the threads of a process."""
    lanes = [SideLane(runtime, Lane.SLOW, runtime.settings.reconcile_s), SideLane(runtime, Lane.EXPRESS, EXPRESS_S)]
    for lane in lanes:
        lane.start()
    return lanes


class SideLane:
    """A thread that looks for chunks of its lane until it is stopped.

    Args:
        lane: Which chunks it takes.
        every_s: Seconds from one look to the next.
    """

    def __init__(self, runtime: Runtime, lane: Lane, every_s: float) -> None:
        self._runtime = runtime
        self._lane = lane
        self._every_s = every_s
        self._stopped = threading.Event()
        self._chunk: NextChunk | None = None
        self._thread = threading.Thread(target=self._run, name=f"{lane.value}-lane", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Release the chunk, if there is one; its images are left to another process."""
        self._stopped.set()
        chunk = self._chunk
        if chunk is not None:
            chunk.drop()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                while not self._stopped.is_set() and self._is_needed() and self._classify_one():
                    pass
            except (SQLAlchemyError, PawsortError, OSError) as error:  # a server that does not answer for a moment
                log.warning("lane_waits", lane=self._lane.value, error=str(error))
            except Exception:  # the thread must survive any error of a library
                log.exception("lane_failed", lane=self._lane.value)

    def _is_needed(self) -> bool:
        """The main loop of a process that is not predicting looks for the next chunk itself."""
        return self._lane is not Lane.EXPRESS or self._runtime.predicting.is_taken

    def _classify_one(self) -> bool:
        self._chunk = NextChunk(self._runtime, self._lane)
        try:
            return classification.finish(self._runtime, self._chunk)
        finally:
            self._chunk = None
