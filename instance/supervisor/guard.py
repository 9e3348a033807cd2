"""The process that cleans up after a `pawsort up` that was killed with -9.

It runs as a file of its own, without the rest of Pawsort, so that it starts quickly and needs little memory. It reads
lines from a pipe whose other end only the supervisor holds: `+PID` a process group was started, `-PID` it has ended,
`rm PATH` a path to remove. When the pipe ends, the supervisor is gone: the guard kills the groups and removes the paths
that are left. After an orderly stop none are left.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

WAIT_S = 5.0


def main() -> None:
    """Read until the pipe ends, then clean up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    paths: list[str] = []
    for line in sys.stdin.buffer:
        message = os.fsdecode(line.rstrip(b"\n"))
        if message.startswith("+"):
            groups.add(int(message[1:]))
        elif message.startswith("-"):
            groups.discard(int(message[1:]))
        elif message.startswith("rm "):
            paths.append(message[3:])
    _kill(groups)
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(path)


def _kill(groups: set[int]) -> None:
    """Kill the groups, and wait, holding the inherited lock, until they have gone."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    give_up_at = time.monotonic() + WAIT_S
    # Bounded: without an init that reaps processes (in some containers), a group never looks empty.
    while _is_any_alive(groups) and time.monotonic() < give_up_at:
        time.sleep(0.05)


def _is_any_alive(groups: Iterable[int]) -> bool:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, 0)
            return True
    return False


if __name__ == "__main__":
    main()
