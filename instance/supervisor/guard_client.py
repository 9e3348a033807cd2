"""The supervisor's side of the guard: starts it, and tells it what would have to be ended."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

GUARD_FILE = Path(__file__).with_name("guard.py")
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Guarding:
    """A guard process, replaced when it dies, that knows of every process group and every path to be removed."""

    def __init__(self, lock_fd: int) -> None:
        self._lock_fd = lock_fd
        self._groups: set[int] = set()
        self._paths: list[str] = []
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def removes(self, path: Path) -> None:
        """Have a file or folder removed when the supervisor dies without doing so."""
        self._paths.append(str(path))
        self._tell(f"rm {path}")

    def before_exec(self) -> Callable[[], None]:
        """What a child runs between fork and exec, so that the guard knows of it before it is anything.

        A supervisor that is killed between starting a child and writing its number down would leave it behind.
        """
        pipe_fd, die_with_parent = self._pipe_fd, _die_with_parent()

        def register() -> None:
            with contextlib.suppress(OSError):
                os.write(pipe_fd, b"+%d\n" % os.getpid())
            die_with_parent()

        return register

    def started(self, group: int) -> None:
        self._groups.add(group)

    def ended(self, group: int) -> None:
        self._groups.discard(group)
        self._tell(f"-{group}")

    def check(self) -> None:
        """Replace a guard that has died."""
        if self._process.poll() is not None:
            os.close(self._pipe_fd)
            self._start()

    def close(self) -> None:
        os.close(self._pipe_fd)
        self._process.wait()

    def _start(self) -> None:
        read_fd, self._pipe_fd = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", str(GUARD_FILE)],
            stdin=read_fd,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(self._lock_fd,),
        )
        os.close(read_fd)
        for path in self._paths:
            self._tell(f"rm {path}")
        for group in self._groups:
            self._tell(f"+{group}")

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe_fd, line.encode() + b"\n")


def _die_with_parent() -> Callable[[], None]:
    """On Linux the kernel also ends a child whose parent dies; elsewhere the guard does it alone."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
