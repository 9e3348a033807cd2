"""Responses that last for minutes: the main loop takes them over, so that they hold no thread."""

from collections.abc import Iterable
from typing import Any, Protocol

from web.server.client_address import Wsgi

STREAM = "pawsort.stream"  # where the application leaves it in the environment (web.http.streams.event_stream)


class Stream(Protocol):
    """What the application goes on writing after its response has begun."""

    @property
    def has_ended(self) -> bool: ...

    def take(self) -> bytes:
        """What was added since the last call."""


class HandedOver:
    """A stream with the response that it belongs to, which is closed with it."""

    def __init__(self, stream: Stream, response: Any) -> None:
        self.stream = stream
        self._response = response

    def close(self) -> None:
        """Let the application count the request as ended."""
        self._response.close()


def handing_over_streams(app: Wsgi) -> Wsgi:
    """The application, with the rest of each stream left on the socket for the main loop.

    Such a response ends with its connection, since gunicorn would end a chunked one when the thread returns.
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = app(environ, start_response)
        stream: Stream | None = environ.get(STREAM)
        if stream is None:
            return body
        response = start_response.__self__
        response.chunked = False
        response.force_close()
        environ["gunicorn.socket"].handed_over = HandedOver(stream, body)
        return [stream.take()]

    return call
