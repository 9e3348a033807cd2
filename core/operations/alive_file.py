"""The file by which a health check knows that a worker of this machine is alive.

Asking the database would cost a second of a processor each time, and would end healthy workers while it is away.
"""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path


class AliveFile:
    """Holds when a worker of a queue last showed that it is alive, by a clock that nobody sets.

    Args:
        data_dir: The data directory. Several containers may share it, so the file's name has that of the host.
    """

    def __init__(self, data_dir: Path, queue: str) -> None:
        self._path = data_dir / f"alive-{queue}-{socket.gethostname()}"

    def touch(self) -> None:
        """Record that the worker is alive. A full disk does not end it."""
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            partial.write_text(str(time.monotonic()), "ascii")
            partial.replace(self._path)

    def is_fresh(self, alive_s: float) -> bool:
        """Whether a worker has shown that it is alive within `alive_s`, since this machine started."""
        try:
            age_s = time.monotonic() - float(self._path.read_text("ascii"))
        except (OSError, ValueError):
            return False
        return 0 <= age_s <= alive_s
