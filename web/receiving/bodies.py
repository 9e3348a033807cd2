"""Read the body of a request as a stream: counted, limited, and never accepted if it is incomplete."""

import time
from collections.abc import Callable
from typing import Any

from flask import g, request

from core.base.errors import IncompleteBody, TooLarge
from web.http.auth import check_again

CHECK_S = 2.0  # whether the sender may still send
FIRST_PIECE, LARGEST_PIECE = 2**13, 2**20


class BodyReader:
    """The body of this request, read piece by piece.

    Args:
        limit: The largest number of bytes.
        sentence: The error message for a larger body; it states the limit.
    Raises:
        TooLarge: The Content-Length exceeds the limit.
    """

    def __init__(self, limit: int, sentence: str) -> None:
        environ = request.environ
        raw: Any = environ["wsgi.input"]
        self._read_some: Callable[[int], bytes] = getattr(raw, "read1", raw.read)
        self._length = request.content_length
        # Without this flag, only the Content-Length says where the body ends.
        self._ends_by_itself = bool(environ.get("wsgi.input_terminated"))
        self._limit = limit
        self._sentence = sentence
        self._check_at = time.monotonic() + CHECK_S
        self._piece = FIRST_PIECE
        self.n_read = 0
        if (self._length or 0) > limit:
            raise TooLarge(f"{sentence} Got a Content-Length of {self._length} bytes.", limit_bytes=limit)

    @property
    def announced(self) -> int:
        """The Content-Length in bytes; 0 without one."""
        return self._length or 0

    def read(self, n_bytes: int) -> bytes:
        """Up to `n_bytes` bytes; b"" at the end.

        Raises:
            TooLarge: The body exceeds the limit.
            IncompleteBody: It ended too early.
            Unauthenticated, Forbidden: The sender was shut out meanwhile.
        """
        if time.monotonic() >= self._check_at:
            check_again()
            self._check_at = time.monotonic() + CHECK_S
        if not self._ends_by_itself:
            n_bytes = min(n_bytes, (self._length or 0) - self.n_read)
        data = self._read_raw(n_bytes) if n_bytes > 0 else b""
        g.n_body_bytes = self.n_read = self.n_read + len(data)
        if self.n_read > self._limit:
            raise TooLarge(self._sentence, limit_bytes=self._limit)
        if n_bytes > 0 and not data and self.n_read < (self._length or 0):
            raise self._incomplete(f"expected {self._length} bytes")
        return data

    def _read_raw(self, n_bytes: int) -> bytes:
        """Up to a piece, whose size follows the speed of the sender: reading takes at most about `CHECK_S`."""
        began_at = time.monotonic()
        try:
            data = self._read_some(min(n_bytes, self._piece))
        except TimeoutError as error:
            raise self._incomplete("the connection timed out") from error
        except OSError as error:
            raise self._incomplete(f"the connection failed ({type(error).__name__})") from error
        took_s = time.monotonic() - began_at
        if took_s < CHECK_S / 8:
            self._piece = min(2 * self._piece, LARGEST_PIECE)
        elif took_s > CHECK_S / 2:
            self._piece = max(self._piece // 2, FIRST_PIECE)
        return data

    def _incomplete(self, reason: str) -> IncompleteBody:
        return IncompleteBody(f"The body ended after {self.n_read} bytes: {reason}. Send it again.")
