"""The connection of one client: a socket on which slow clients cannot hold a thread for long.

reading    at the pace that the client has to keep, or TimeoutError
writing    up to `MAX_UNSENT` bytes stay in `unsent`, for the main loop to send after the response; beyond that the
           thread waits, at the same pace, and the connection is given up if the client does not keep it, or if the
           application says that its person has been shut out
"""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from web.server.pace import Pace
from web.server.streams import HandedOver

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MAX_UNSENT = 512 * 2**10  # more than any page
CHECK_S = 2.0  # whether a response may go on
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger of socket(7)


class TransferLimits(NamedTuple):
    """How slow a client may be; see `Pace`."""

    least_bytes_s: float
    max_s: float


class ClientSocket(socket.socket):
    """A connection.

    Attributes:
        unsent: The end of the response, which the client has not taken yet.
        is_streaming: The application reads the body of this request while it arrives.
        is_refused: The application should answer that too many bodies are being received.
        handed_over: A response that goes on, which the main loop sends.
        may_go_on: Asked every `CHECK_S` of a response; the application sets it. None for always.
    """

    def __init__(self, accepted: socket.socket, limits: TransferLimits) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self._limits = limits
        self.unsent = bytearray()
        self.handed_over: HandedOver | None = None
        self.begin_request()

    def begin_request(self, is_streaming: bool = False, is_refused: bool = False, has_ended: bool = False) -> None:
        """Start measuring anew.

        Args:
            has_ended: The client has used up its time, so nothing more is read.
        """
        self.is_streaming = is_streaming
        self.is_refused = is_refused
        self.may_go_on: Callable[[], bool] | None = None
        self._check_at = time.monotonic() + CHECK_S
        self._reading = Pace(self._limits.least_bytes_s, 0.0 if has_ended else self._limits.max_s)
        self._writing = Pace(self._limits.least_bytes_s)

    def recv(self, n_bytes: int, flags: int = 0) -> bytes:
        """Read what has arrived, or wait for it.

        Raises:
            TimeoutError: The client is too slow.
        """
        caller_s = self.gettimeout()
        patience_s = self._reading.patience_s
        self.settimeout(max(min(patience_s, patience_s if caller_s is None else caller_s), 0.001))
        began_at = time.monotonic()
        data = b""
        try:
            data = super().recv(n_bytes, flags)
        finally:
            self.settimeout(caller_s)
            self._reading.note(time.monotonic() - began_at, len(data))
        return data

    def recv_now(self, n_bytes: int) -> bytes | None:
        """Read what has arrived; None for nothing, b"" at the end. For the main loop, which never waits."""
        try:
            return super().recv(n_bytes, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send, or keep for the main loop.

        Raises:
            ConnectionResetError: The client takes its bytes too slowly, or must not have them any more.
        """
        self._check()
        self.unsent += data
        self.send_now()
        while len(self.unsent) > MAX_UNSENT:
            self._wait_until_writable()
            self._check()

    def send_now(self) -> None:
        """Send as much of `unsent` as goes without waiting."""
        while self.unsent:
            try:
                n_sent = self.send(self.unsent, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            del self.unsent[:n_sent]

    def _check(self) -> None:
        if self.may_go_on is None or time.monotonic() < self._check_at:
            return
        self._check_at = time.monotonic() + CHECK_S
        if not self.may_go_on():
            self._reset()
            raise ConnectionResetError(errno.ECONNRESET, "the response must not go on")

    def _reset(self) -> None:
        """Close the connection, and discard what the operating system has not sent yet."""
        self.unsent.clear()
        self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.close()

    def _wait_until_writable(self) -> None:
        n_unsent = len(self.unsent)
        poll = select.poll()
        poll.register(self, select.POLLOUT)
        began_at = time.monotonic()
        poll.poll(min(self._writing.patience_s, CHECK_S) * 1000)
        self.send_now()
        try:
            self._writing.note(time.monotonic() - began_at, n_unsent - len(self.unsent))
        except TimeoutError as error:
            self.unsent.clear()
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from error
