"""Processes, in tests that start and kill real ones."""

import os
import subprocess
from pathlib import Path

from tests.support.waiting import wait_for


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
    wait_for(path.exists, seconds, f"{path.name} to appear")
    return [int(word) for word in path.read_text().split()]
