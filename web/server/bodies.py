"""The body of a request, read from its socket without the copies that gunicorn makes of it."""

from collections.abc import Iterable, Iterator
from typing import Any

from gunicorn.http.body import Body, LengthReader

from web.server.client_address import Wsgi


class DirectBody:
    """gunicorn's body with `read1`, which returns what has arrived. All other calls are gunicorn's own.

    Args:
        body: Of a request that gunicorn has parsed.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self.read, self.readline, self.readlines = body.read, body.readline, body.readlines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def read1(self, size: int) -> bytes:
        """Up to `size` bytes with at most one call of the socket; b"" at the end."""
        reader = self._body.reader
        if not isinstance(reader, LengthReader) or self._body.buf.tell():
            whole: bytes = self.read(size)
            return whole
        data = self._take(reader, min(size, reader.length))
        reader.length -= len(data)
        return data

    def _take(self, reader: LengthReader, size: int) -> bytes:
        """First the bytes that came with the head of the request."""
        if size == 0:
            return b""
        early: bytes = reader.unreader.take_buffered()
        if early:
            reader.unreader.unread(early[size:])
            return early[:size]
        try:
            data: bytes = reader.unreader.sock.recv(size)
        except Exception:
            self._body.failed = True  # where the next request begins is unknown
            raise
        return data


def reading_directly(app: Wsgi) -> Wsgi:
    """The application, which can read bodies by `read1`."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = DirectBody(environ["wsgi.input"])
        return app(environ, start_response)

    return call
