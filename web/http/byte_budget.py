"""How many bytes of files threads may hold at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.base.errors import Busy

BUSY = "Too many pictures are being read at the moment. Try again in a few seconds."


class ByteBudget:
    """Bytes for all threads of a process. A file that is larger than the budget waits until it is alone."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._n_free = n_bytes
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, n_bytes: int, wait_s: float | None) -> Iterator[None]:
        """Hold a file of so many bytes.

        Args:
            n_bytes: Of the file.
            wait_s: For others to finish; None for as long as it takes.
        Raises:
            Busy: There was no room in time.
        """
        needed = min(n_bytes, self._n_bytes)
        with self._changed:
            if not self._changed.wait_for(lambda: needed <= self._n_free, wait_s):
                raise Busy(BUSY)
            self._n_free -= needed
        try:
            yield
        finally:
            with self._changed:
                self._n_free += needed
                self._changed.notify_all()
