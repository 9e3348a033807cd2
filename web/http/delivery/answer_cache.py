"""Answers for anybody, without a login: each is made by one request at a time, and given to all for some seconds."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.base.errors import Busy

KEEP_S = 5.0
FOR_EVER_S = math.inf
STALE_S = 30.0  # while somebody makes a new answer, others get one that is so old
WAIT_S = 5.0

Made = TypeVar("Made")


@dataclass
class _Entry:
    made: Any = None
    fresh_until: float = -math.inf
    lock: threading.Lock = field(default_factory=threading.Lock)


class AnswerCache:
    """Answers of one process, by name."""

    def __init__(self) -> None:
        self._entries: defaultdict[str, _Entry] = defaultdict(_Entry)

    def get(self, name: str, make: Callable[[], Made], keep_s: Callable[[Made], float] | float = KEEP_S) -> Made:
        """A fresh answer, or a new one.

        Args:
            keep_s: How long it is fresh; may depend on the answer.
        Raises:
            Busy: Somebody else makes it, and that takes long.
        """
        entry = self._entries[name]
        if time.monotonic() < entry.fresh_until:
            return entry.made  # type: ignore[no-any-return]
        is_usable = time.monotonic() < entry.fresh_until + STALE_S
        if not entry.lock.acquire(timeout=0 if is_usable else WAIT_S):
            if not is_usable:
                raise Busy("This takes longer than usual. Try again in a few seconds.")
            return entry.made  # type: ignore[no-any-return]
        try:
            if time.monotonic() >= entry.fresh_until:
                entry.made = make()
                entry.fresh_until = time.monotonic() + (keep_s(entry.made) if callable(keep_s) else keep_s)
            return entry.made  # type: ignore[no-any-return]
        finally:
            entry.lock.release()

    def clear(self) -> None:
        """Forget all answers."""
        self._entries.clear()
