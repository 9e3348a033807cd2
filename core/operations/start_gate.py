"""The start gate of an instance: its programs load while the database is prepared, and wait here before they use it.

It is a file in the data directory that `pawsort up` keeps locked meanwhile. The lock ends with its process, so nothing
waits for one that was killed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "start.lock"


@contextmanager
def closed_gate(data_dir: Path) -> Iterator[None]:
    """Keep the programs of an instance waiting during the `with`."""
    gate = os.open(data_dir / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)


def wait_until_open(data_dir: Path) -> None:
    """Wait while the gate of this data directory is closed. Without one, which `pawsort up` makes, it is open."""
    try:
        gate = os.open(data_dir / FILE_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(gate, fcntl.LOCK_SH)
    finally:
        os.close(gate)
