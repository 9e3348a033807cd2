"""The process that outlives a `pawsort up` killed with -9, by as long as it takes to end what that one started.

Run as a file of its own, without the rest of Pawsort, so that it starts in a moment and weighs little. It reads lines
from a pipe whose other end only the supervisor holds: `+PID` a process group has been started, `-PID` it has ended,
`rm PATH` something to remove. When the pipe ends, the supervisor is gone: whatever is left on the list is ended and
removed. After an orderly stop nothing is left on it.
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
    """Read until the pipe ends, then clear up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    paths: list[str] = []
    for line in sys.stdin:
        word = line.rstrip("\n")
        if word.startswith("+"):
            groups.add(int(word[1:]))
        elif word.startswith("-"):
            groups.discard(int(word[1:]))
        elif word.startswith("rm "):
            paths.append(word[3:])
    _end(groups)
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(path)


def _end(groups: set[int]) -> None:
    """Kill them, and stay (with the lock that was inherited) until they have gone."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    give_up_at = time.monotonic() + WAIT_S
    # Bounded: where nobody collects the dead (a container without an init), a group never looks empty.
    while _left(groups) and time.monotonic() < give_up_at:
        time.sleep(0.05)


def _left(groups: Iterable[int]) -> bool:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, 0)
            return True
    return False


if __name__ == "__main__":
    main()
