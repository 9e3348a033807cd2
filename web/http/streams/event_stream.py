"""Server-sent events for one client (HTML standard, chapter 9.2): written by a watcher, taken by the server.

Our server (`web.server.worker`) takes a stream over from the thread of the request: it finds it in the environment
under `STREAM`, sends what `take` gives until `has_ended`, and closes the response. Under any other server the response
ends with the first event, and the client asks for the next one.
"""

import threading
from collections.abc import Callable, Iterator

STREAM = "pawsort.stream"
RETRY_MS = 2000
MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would collect the events


class EventStream:
    """Events that wait to be sent. Any thread may use it.

    Attributes:
        last_id: The id of the last event that the client has.
        has_ended: Nothing more comes.
    """

    def __init__(self, last_id: str, on_close: Callable[["EventStream"], object]) -> None:
        self.last_id = last_id
        self.has_ended = False
        self._on_close = on_close
        self._changed = threading.Condition()
        self._waiting = f"retry: {RETRY_MS}\n\n".encode()
        self._has_event = False

    def send(self, event_id: str, name: str, data: str) -> None:
        """Add an event; `data` is a text without line breaks."""
        self.last_id = event_id
        self._add(f"id: {event_id}\nevent: {name}\ndata: {data}\n\n", is_event=True)

    def send_heartbeat(self) -> None:
        """Add a comment, which shows the client and every proxy that the connection is alive."""
        self._add(": still here\n\n")

    def end(self) -> None:
        """Add nothing more."""
        with self._changed:
            self.has_ended = True
            self._changed.notify_all()

    def take(self) -> bytes:
        """What was added since the last call."""
        with self._changed:
            taken, self._waiting = self._waiting, b""
            return taken

    def close(self) -> None:
        """The client has gone, or has everything."""
        self.end()
        self._on_close(self)

    def __iter__(self) -> Iterator[bytes]:
        """The events up to the first one."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_event or self.has_ended)
        yield self.take()

    def _add(self, text: str, is_event: bool = False) -> None:
        with self._changed:
            self._waiting += text.encode()
            self._has_event |= is_event
            self._changed.notify_all()
