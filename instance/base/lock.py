"""One instance for each data directory.

There are two locks. `supervisor.lock` is held by `pawsort up` alone; a second one is refused at once. Every child
inherits `lock`: after a `kill -9`, the next start waits until the last child has gone, so that two sets of processes
never share one SQLite file and one port.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from core.operations.instance_record import read_record
from pawsort.api.errors import ClientError

OWNER_FILE = "supervisor.lock"
SHARED_FILE = "lock"
WAIT_S = 20.0
POLL_S = 0.1


class AlreadyRunning(ClientError):
    """Another instance uses the data directory."""


class DataDirLock:
    """Both locks of a data directory, held during the `with`."""

    def __init__(self, data_dir: Path, notify: Callable[[str], object], wait_s: float = WAIT_S) -> None:
        self._data_dir = data_dir
        self._notify = notify
        self._wait_s = wait_s
        self._owner_fd = -1
        self.shared_fd = -1

    def __enter__(self) -> Self:
        try:
            self._owner_fd = _open(self._data_dir / OWNER_FILE)
            if not _try_lock(self._owner_fd):
                raise AlreadyRunning(self._refusal())
            self.shared_fd = _open(self._data_dir / SHARED_FILE)
            self._wait_for_children()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _wait_for_children(self) -> None:
        give_up_at = time.monotonic() + self._wait_s
        is_shown = False
        while not _try_lock(self.shared_fd):
            if not is_shown:
                self._notify("Waiting for processes of an earlier run to end.")
                is_shown = True
            if time.monotonic() > give_up_at:
                raise AlreadyRunning(
                    f"Processes of an earlier run still hold {self._data_dir / SHARED_FILE} after {self._wait_s:.0f} s."
                    " End them (ps shows them as celery, gunicorn or valkey-server), then start again."
                )
            time.sleep(POLL_S)

    def _refusal(self) -> str:
        record = read_record(self._data_dir)
        where = f" at {record.address} (process {record.pid})" if record else ""
        return (
            f"Pawsort already runs on {self._data_dir}{where}."
            " Use it, stop it first, or give another folder with --data."
        )

    def _close(self) -> None:
        for fd in (self.shared_fd, self._owner_fd):
            if fd >= 0:
                os.close(fd)
        self.shared_fd = self._owner_fd = -1


def is_running(data_dir: Path) -> bool:
    """Return whether a `pawsort up` uses this data directory now."""
    try:
        fd = os.open(data_dir / OWNER_FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
