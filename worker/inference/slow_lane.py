"""The slow lane of an inference process: a thread for chunks whose images take long to decode.

It decodes one image at a time at the lowest priority and uses the same network, so it holds up no other chunk.
"""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import PawsortError
from worker.inference import classification
from worker.inference.next_chunk import NextChunk
from worker.process.runtime import Runtime

log = structlog.get_logger()


class SlowLane:
    """A thread that looks for slow chunks every few seconds until it is stopped."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopped = threading.Event()
        self._chunk: NextChunk | None = None
        self._thread = threading.Thread(target=self._run, name="slow-lane", daemon=True)

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
        while not self._stopped.wait(self._runtime.settings.reconcile_s):
            try:
                while not self._stopped.is_set() and self._classify_one():
                    pass
            except (SQLAlchemyError, PawsortError, OSError) as error:  # a server that does not answer for a moment
                log.warning("slow_lane_waits", error=str(error))
            except Exception:  # the thread must survive any error of a library
                log.exception("slow_lane_failed")

    def _classify_one(self) -> bool:
        self._chunk = NextChunk(self._runtime, slow=True)
        try:
            return classification.finish(self._runtime, self._chunk)
        finally:
            self._chunk = None
