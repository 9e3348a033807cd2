"""The decoder children that have nothing to do: lent to one thread at a time, and ended after a while."""

import threading
import time
from collections.abc import Iterable

from core.base.errors import Busy
from core.decoding.pool.child import Child


class FreeChildren:
    """Children by the time of their last work, the latest first: so few are started where few are needed.

    Args:
        children: All of a pool; none of them has worked yet.
        idle_s: How long a child without work is kept.
    """

    def __init__(self, children: Iterable[Child], idle_s: float) -> None:
        self._free = [(child, 0.0) for child in children]
        self._idle_s = idle_s
        self._changed = threading.Condition()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def take(self, wait_s: float | None) -> Child:
        """Lend a child.

        Args:
            wait_s: How long to wait for one; None for as long as it takes.
        Raises:
            Busy: None was free in this time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._free, wait_s):
                raise Busy("All decoders are busy at the moment. Try again in a few seconds.")
            return self._free.pop()[0]

    def give_back(self, child: Child) -> None:
        """End the loan of a child."""
        with self._changed:
            self._free.append((child, time.monotonic()))
            self._changed.notify()
            self._plan(self._idle_s)

    def close(self) -> None:
        """Leave all children as they are from now on."""
        with self._changed:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _plan(self, seconds: float) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = threading.Timer(seconds, self._end_idle)
            self._timer.daemon = True
            self._timer.start()

    def _end_idle(self) -> None:
        with self._changed:
            self._timer = None
            if self._is_closed:
                return
            ends_in = self._idle_s - time.monotonic()
            running = [(child, worked_at + ends_in) for child, worked_at in self._free if child.pid is not None]
            for child, left_s in running:
                if left_s <= 0:
                    child.close()
            if waiting := [left_s for _, left_s in running if left_s > 0]:
                self._plan(min(waiting))
