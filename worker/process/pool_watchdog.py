"""Ends processes of a pool that hang, so that the pool starts others.

A process that was stopped, or whose threads all wait for one that never gives way, cannot end itself as `HangWatchdog`
does. Its work is claimed by others meanwhile, but the pool would go on without it.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from core.operations.alive_file import CHECK_S, HANGS_AFTER_LEASES, AliveFile, HangCheck

log = structlog.get_logger()


class PoolWatchdog:
    """A thread of the worker that has a pool. It also shows that this worker itself is alive.

    Args:
        list_pids: The processes of the pool now.
        lease_s: Length of a lease.
    """

    def __init__(
        self, list_pids: Callable[[], list[int]], data_dir: Path, queue: str, lease_s: float, check_s: float = CHECK_S
    ) -> None:
        self._list_pids = list_pids
        self._data_dir = data_dir
        self._queue = queue
        self._silent_s = HANGS_AFTER_LEASES * lease_s
        self._check_s = check_s
        self._own = self._file_of(os.getpid())
        self._checks: dict[int, HangCheck] = {}

    def start(self) -> None:
        """Remove what processes have left that were killed together with their worker, and start the thread."""
        for file in AliveFile.list_of_processes(self._data_dir, self._queue):
            if not file.is_fresh(self._silent_s):
                file.remove()
        threading.Thread(target=self._run, name="pool-watchdog", daemon=True).start()

    def check(self) -> None:
        """Look at each process once."""
        self._own.touch()
        pids = self._list_pids()
        for pid in self._checks.keys() - set(pids):
            self._checks.pop(pid).file.remove()
        for pid in pids:
            if pid not in self._checks:
                self._checks[pid] = HangCheck(self._file_of(pid), pid, self._silent_s, self._check_s)
            if self._checks[pid].hangs():
                log.error("process_hangs", pid=pid, note="it is ended, and the pool starts another one")
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _file_of(self, pid: int) -> AliveFile:
        return AliveFile.of_process(self._data_dir, self._queue, pid)

    def _run(self) -> None:
        while True:
            try:
                self.check()
            except Exception:  # a pool that changes at this moment: this thread must go on
                log.exception("pool_not_checked")
            time.sleep(self._check_s)
