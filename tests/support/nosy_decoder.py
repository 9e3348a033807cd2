"""A decoder that tries what no decoder should, and shows in its pixels what was refused.

Plugged in by its dotted path, `tests.support.nosy_decoder:decode`. The file it decodes names the attempt.
"""

import ctypes
import errno
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from core.decoding.decoded import Decoded

DONE, REFUSED = 1, 2


def _make_thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _change_rights_of_nothing() -> None:
    """Call fchmodat2, which the C library has no name for; for a file that is not there, it says so or is refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(452, -100, b"/nowhere", 0o600, 0)
    if ctypes.get_errno() == errno.EPERM:
        raise PermissionError


def _mark_nothing() -> None:
    try:
        os.setxattr("/nowhere", "user.mark", b"1")
    except FileNotFoundError:
        return


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
    "write a file": lambda: os.close(os.open("written", os.O_WRONLY | os.O_CREAT)),
    "make a folder": lambda: os.mkdir("made"),
    "rename a file": lambda: os.rename("/etc/passwd", "/etc/renamed"),
    "delete a file": lambda: os.unlink("there"),
    "change a file's rights": _change_rights_of_nothing,
    "mark a file": _mark_nothing,
    "make a socket": lambda: socket.socket(socket.AF_INET).close(),
    "make a Unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
    "run a program": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "become a program": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    "fork": os.fork,
    "kill the parent": lambda: os.kill(os.getppid(), 0),
    "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000)),
}
ALLOWED: dict[str, Callable[[], object]] = {"make a thread": _make_thread}


def decode(data: Any, side_px: int, *, max_pixels: int) -> Decoded:
    """Try what the file names."""
    attempt = (ATTEMPTS | ALLOWED)[bytes(data).decode()]
    try:
        attempt()
        outcome = DONE
    except (OSError, ValueError):
        outcome = REFUSED
    return Decoded(np.full((side_px, side_px, 3), outcome, np.uint8))
