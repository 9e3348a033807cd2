"""Lines that Celery repeats while its broker is away or full: logged once, then counted."""

import logging
import time

NAMES = ("celery", "kombu")
PAUSE_S = 60.0


class RepeatedLines(logging.Filter):
    """Lets a message of Celery through once a minute; the next one says how often it came in between."""

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        super().__init__()
        self._pause_s = pause_s
        self._logged_at: dict[tuple[str, object], float] = {}
        self._n_left_out: dict[tuple[str, object], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log this line."""
        if not record.name.startswith(NAMES):
            return True
        key, now = (record.name, record.msg), time.monotonic()
        if now - self._logged_at.get(key, -self._pause_s) < self._pause_s:
            self._n_left_out[key] = self._n_left_out.get(key, 0) + 1
            return False
        self._logged_at[key] = now
        if n_left_out := self._n_left_out.pop(key, 0):
            record.msg, record.args = f"{record.getMessage()} ({n_left_out} more in the meantime)", ()
        return True
