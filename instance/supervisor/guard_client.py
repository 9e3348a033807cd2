"""The supervisor's side of the guard: starts it, and reports process groups and paths to it."""

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


class GuardClient:
    """The guard process. It is replaced when it dies, and knows every process group and every path to remove."""

    def __init__(self, lock_fd: int) -> None:
        self._lock_fd = lock_fd
        self._groups: set[int] = set()
        self._paths: list[str] = []
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def add_path(self, path: Path) -> None:
        """Have a file or folder removed if the supervisor is killed."""
        self._paths.append(str(path))
        self._send(f"rm {path}")

    def before_exec(self) -> Callable[[], None]:
        """Return what a child runs between fork and exec, so that the guard knows it before it runs anything.

        Otherwise a supervisor that is killed right after starting a child would leave it behind.
        """
        pipe_fd, die_with_parent = self._pipe_fd, _die_with_parent()

        def register() -> None:
            with contextlib.suppress(OSError):
                os.write(pipe_fd, b"+%d\n" % os.getpid())
            die_with_parent()

        return register

    def add_group(self, group: int) -> None:
        self._groups.add(group)

    def remove_group(self, group: int) -> None:
        self._groups.discard(group)
        self._send(f"-{group}")

    def restart_if_dead(self) -> None:
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
            self._send(f"rm {path}")
        for group in self._groups:
            self._send(f"+{group}")

    def _send(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe_fd, os.fsencode(line) + b"\n")  # paths need not be UTF-8


def _die_with_parent() -> Callable[[], None]:
    """On Linux the kernel also kills a child whose parent dies. Elsewhere only the guard does."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
