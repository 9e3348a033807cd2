"""How much work of one kind a person may have at once, and all people together.

Counted in each web process: what is protected are the threads, processes and memory of that process, a count ends with
the response or with the process, and no request waits for Redis.
"""

import threading
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from core.base.config import Settings
from core.base.errors import Busy, TooMany

View = TypeVar("View", bound=Callable[..., Any])

RETRY_S = 2.0
MAX_STREAMS = 256  # each holds a connection, of which gunicorn has a thousand, and no thread


class Work(StrEnum):
    """Requests that take long. The values name them in messages."""

    ARCHIVE = "archives"
    UPLOAD = "uploads"
    DOWNLOAD = "downloads"
    THUMBNAIL = "thumbnails"
    STREAM = "event streams"


def works(work: Work) -> Callable[[View], View]:
    """Mark a view as such work."""

    def mark(view: View) -> View:
        view.work = work  # type: ignore[attr-defined]
        return view

    return mark


class AtOnce:
    """Counts what runs in this process."""

    def __init__(self, settings: Settings) -> None:
        self._most = {
            Work.ARCHIVE: settings.archives_at_once,
            Work.UPLOAD: settings.uploads_at_once,
            Work.DOWNLOAD: settings.downloads_at_once,
            Work.THUMBNAIL: settings.thumbnails_at_once,
            Work.STREAM: settings.streams_at_once,
        }
        # Uploads and thumbnails have places of their own (web.server.worker, web.http.thumbnails).
        self._most_of_all = {Work.DOWNLOAD: max(settings.web_threads // 4, 1), Work.STREAM: MAX_STREAMS}
        self._running: Counter[tuple[Work, int | None]] = Counter()
        self._lock = threading.Lock()

    def begin(self, work: Work, user_id: int, is_counted: bool) -> Callable[[], None]:
        """Count one request.

        Args:
            is_counted: Whether the person has a limit, not only all together.
        Returns:
            What ends it; call it once.
        Raises:
            TooMany: This person has as many as they may.
            Busy: All together have.
        """
        with self._lock:
            if is_counted and self._running[work, user_id] >= self._most[work]:
                raise TooMany(
                    f"You have {self._most[work]} {work} running at the same time, and more are not accepted. Try again"
                    " when one of them has ended.",
                    RETRY_S,
                )
            if work in self._most_of_all and self._running[work, None] >= self._most_of_all[work]:
                raise Busy(f"Too many {work} are running at the moment. Try again in a few seconds.")
            self._running[work, user_id] += 1
            self._running[work, None] += 1

        def end() -> None:
            with self._lock:
                for key in ((work, user_id), (work, None)):
                    self._running[key] -= 1
                    if not self._running[key]:
                        del self._running[key]

        return end
