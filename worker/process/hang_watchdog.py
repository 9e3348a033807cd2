"""Ends a process whose heartbeat hangs, so that its supervisor starts it anew.

A database connection can go silent without an error: a proxy or pooler that no longer forwards it answers the kernel's
keepalives itself. Everything in the process then waits for ever, and nothing outside sees why.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from core.operations.alive_file import CHECK_S, HANGS_AFTER_LEASES

EXIT_CODE = 1

log = structlog.get_logger()


class HangWatchdog:
    """Counts how long the current beat takes, in checks of one second: time in which the process is stopped is none.

    Args:
        lease_s: Length of a lease.
        end: Ends the process.
        check_s: Time between two checks.
    """

    def __init__(self, lease_s: float, end: Callable[[], object] | None = None, check_s: float = CHECK_S) -> None:
        self._max_checks = HANGS_AFTER_LEASES * lease_s / check_s
        self._end = end or _end_process
        self._check_s = check_s
        self._beat = 0
        self._is_beating = False
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="hang-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the block as one beat."""
        self._beat += 1
        self._is_beating = True
        try:
            yield
        finally:
            self._is_beating = False

    def _run(self) -> None:
        beat, n_checks = 0, 0
        while not self._stopped.wait(self._check_s):
            is_same = self._is_beating and self._beat == beat
            beat, n_checks = self._beat, n_checks + 1 if is_same else 0
            if n_checks > self._max_checks:
                log.error("heartbeat_hangs", note="this process ends, and its supervisor starts a new one")
                self._end()
                return


def _end_process() -> None:
    os._exit(EXIT_CODE)
