"""A connection, and the start of the request that arrives on it."""

from enum import Enum
from typing import Any

from gunicorn.workers.gthread import TConn

from web.server.client_socket import ClientSocket
from web.server.request_start import RequestStart

READ_BYTES = 2**16


class Progress(Enum):
    """How far the start of a request is."""

    WAITING = "more has to arrive"
    COMPLETE = "a thread can serve it"
    ENDED = "the client has gone"
    TOO_LARGE = "its head has no end"


class Connection(TConn):  # type: ignore[misc]
    """gunicorn's connection, which does not wait for the start of a request.

    Attributes:
        start: What has arrived of the next request.
        has_ended: The client has used up its time, and gets an answer to what has arrived.
        is_refused: The application answers that too many bodies are being received.
        has_place: It holds a place for a body that streams.
    """

    sock: ClientSocket

    def __init__(self, cfg: Any, sock: ClientSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.data_ready = True  # gunicorn's thread must not wait for it
        self.start = RequestStart()
        self.has_ended = self.is_refused = self.has_place = False

    def receive(self) -> Progress:
        """Take what has arrived, without waiting."""
        self.init()
        self.start.add(self.parser.unreader.take_buffered())  # behind the last request
        while not (self.start.is_complete or self.has_ended):
            if self.start.is_too_large:
                return Progress.TOO_LARGE
            data = self.sock.recv_now(READ_BYTES)
            if data is None:
                return Progress.WAITING
            if not data:
                return Progress.COMPLETE if self.start.has_head else Progress.ENDED
            self.start.add(data)
        return Progress.COMPLETE

    def hand_over(self) -> None:
        """Let gunicorn parse what has arrived, and begin with the next request."""
        self.parser.unreader.unread(bytes(self.start.data))
        self.sock.begin_request(is_streaming=self.has_place, is_refused=self.is_refused, has_ended=self.has_ended)
        self.start = RequestStart()
        self.has_ended = self.is_refused = False
