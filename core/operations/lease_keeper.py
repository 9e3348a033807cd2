"""A thread that keeps a lease, or shows that a worker is alive, while the work itself runs on another thread."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()


class LeaseKeeper:
    """Calls `beat` every few seconds from `start` to `stop`, or while a `with` block runs.

    A database that is away for a moment does not end it; a process that is killed stops renewing, which is the point.
    """

    def __init__(self, beat: Callable[[], bool], interval_s: float, failure_event: str, **failure_fields: Any) -> None:
        """
        Args:
            beat: Renews the lease, and whatever else is due with it; False when there is nothing left to keep.
            failure_event: What is logged, with `failure_fields`, when the database does not answer.
        """
        self._beat = beat
        self._interval_s = interval_s
        self._failure_event = failure_event
        self._failure_fields = failure_fields
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; the first beat comes after one interval."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """Stop, and wait for a beat that has begun."""
        self._stopped.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                if not self._beat():
                    return
            except SQLAlchemyError as error:
                log.warning(self._failure_event, error=str(error), **self._failure_fields)
