"""Turns at something that one thread can use at a time."""

import threading
from types import TracebackType


class Turns:
    """A lock that threads get in the order in which they ask, and that its holder can give way to others in between."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_asked = 0
        self._n_served = 0

    @property
    def is_taken(self) -> bool:
        """Whether a thread has its turn."""
        return self._n_served < self._n_asked

    def __enter__(self) -> None:
        with self._changed:
            turn = self._n_asked
            self._n_asked += 1
            self._changed.wait_for(lambda: self._n_served == turn)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._n_served += 1
            self._changed.notify_all()

    def give_way(self) -> None:
        """Let the threads that wait have their turn, then go on."""
        self.__exit__(None, None, None)
        self.__enter__()
