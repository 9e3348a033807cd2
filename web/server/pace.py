"""How long a client may make a thread wait: each window of time needs its bytes, and all waiting has an end."""

import math

WINDOW_S = 20.0


class Pace:
    """The pace of one transfer. Only time spent waiting for the client counts, not that of disks and databases."""

    def __init__(self, least_bytes_s: float, max_s: float = math.inf) -> None:
        """
        Args:
            least_bytes_s: Bytes per second that the client has to move, on average of a window.
            max_s: For the whole transfer.
        """
        self._needed = least_bytes_s * WINDOW_S
        self._left_s = max_s
        self._window_s = 0.0
        self._n_bytes = 0

    @property
    def patience_s(self) -> float:
        """How long to wait for the next bytes."""
        return max(min(WINDOW_S - self._window_s, self._left_s), 0.0)

    def note(self, waited_s: float, n_bytes: int) -> None:
        """Count one wait and the bytes that it brought.

        Raises:
            TimeoutError: The client is too slow.
        """
        self._left_s -= waited_s
        self._window_s += waited_s
        self._n_bytes += n_bytes
        if self._n_bytes >= self._needed:
            self._window_s, self._n_bytes = 0.0, 0
        if self._window_s >= WINDOW_S or self._left_s <= 0:
            raise TimeoutError("the client is too slow")
