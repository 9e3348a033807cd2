"""Waiting for processes, in tests that start and kill real ones."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for something to become true."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"waited {seconds} s for: {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected by its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip()) and not listed.stdout.lstrip().startswith("Z")


def read_pids(path: Path, seconds: float = 10.0) -> list[int]:
    """The numbers that a program has written down."""
    wait_until(path.exists, seconds, f"{path.name} to appear")
    return [int(word) for word in path.read_text().split()]
