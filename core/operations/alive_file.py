"""The files by which health checks, and whatever started a process, know that it is alive.

Asking the database would cost a second of a processor each time, and would end healthy workers while it is away.
"""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

HANGS_AFTER_LEASES = 4  # without a sign of life
CHECK_S = 1.0


class AliveFile:
    """Holds when a worker of a queue last showed that it is alive, by a clock that nobody sets.

    Args:
        data_dir: The data directory. Several containers may share it, so the file's name has that of the host.
    """

    def __init__(self, data_dir: Path, queue: str) -> None:
        self._path = data_dir / f"alive-{queue}-{socket.gethostname()}"

    @classmethod
    def of_process(cls, data_dir: Path, queue: str, pid: int) -> Self:
        """The file of one process of a worker."""
        return cls(data_dir, f"{queue}-{pid}")

    @classmethod
    def list_of_processes(cls, data_dir: Path, queue: str) -> list[Self]:
        """The files of all processes of a worker on this host, with those that a killed process has left."""
        end = f"-{socket.gethostname()}"
        paths = data_dir.glob(f"alive-{queue}-*{end}")
        return [cls(data_dir, path.name.removeprefix("alive-").removesuffix(end)) for path in paths]

    def touch(self) -> None:
        """Record that the worker is alive. On a full disk there is room for what the file had before."""
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            try:
                partial.write_text(str(time.monotonic()), "ascii")
                partial.replace(self._path)
            except OSError:
                partial.unlink(missing_ok=True)
                self._overwrite()

    def _overwrite(self) -> None:
        with self._path.open("r+", encoding="ascii") as file:
            file.write(str(time.monotonic()))
            file.truncate()

    def is_fresh(self, alive_s: float) -> bool:
        """Whether a worker has shown that it is alive within `alive_s`, since this machine started."""
        try:
            age_s = time.monotonic() - float(self._path.read_text("ascii"))
        except (OSError, ValueError):
            return False
        return 0 <= age_s <= alive_s

    def read(self) -> str | None:
        """The last sign of life; None before the first."""
        try:
            return self._path.read_text("ascii")
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        """Remove it, because the process has ended."""
        with suppress(OSError):
            self._path.unlink()


class HangCheck:
    """Notices that a process shows no life any more: it was stopped, or one of its threads lets no other run.

    Checks are counted instead of seconds, so time in which the whole machine is stopped is none. Neither is time in
    which the process only waited for a processor, as one of low priority does on a busy machine.

    Args:
        file: Where the process shows that it is alive. Before its first sign it is starting, and does not hang.
        pid: The process.
        silent_s: How long it may show none.
    """

    def __init__(self, file: AliveFile, pid: int, silent_s: float, check_s: float = CHECK_S) -> None:
        self.file = file
        self._pid = pid
        self._silent_s = silent_s
        self._check_s = check_s
        self._next_at = 0.0
        self._sign: str | None = None
        self._n_checks = 0
        self._waited_s = 0.0

    def hangs(self) -> bool:
        """Look once; calls that follow each other too closely count as one."""
        now = time.monotonic()
        if now < self._next_at:
            return False
        self._next_at = now + self._check_s
        sign = self.file.read()
        if sign is None or sign != self._sign:
            self._sign, self._n_checks, self._waited_s = sign, 0, waited_s(self._pid)
            return False
        self._n_checks += 1
        silent_s = self._n_checks * self._check_s
        if silent_s <= self._silent_s:
            return False
        return silent_s - (waited_s(self._pid) - self._waited_s) > self._silent_s


def waited_s(pid: int) -> float:
    """How long a process has been ready to run, and waited for a processor; 0 where the system does not say.

    Source: docs.kernel.org/scheduler/sched-stats.html, `/proc/<pid>/schedstat`.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
