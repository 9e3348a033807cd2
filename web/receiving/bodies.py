"""Reading a request's body as a stream: counted, limited, and never taken for whole when it was cut off."""

from typing import Any

from flask import request

from core.base.errors import Invalid, TooLarge


class BodyReader:
    """The body of the present request, read piece by piece.

    Args:
        limit: How many bytes there may be.
        sentence: What to say when there are more; it names the limit.
    Raises:
        TooLarge: The announced length passes the limit.
    """

    def __init__(self, limit: int, sentence: str) -> None:
        environ = request.environ
        self._raw: Any = environ["wsgi.input"]
        self._length = request.content_length
        # Without this flag the server does not say where the body ends; only the announced length does.
        self._ends_by_itself = bool(environ.get("wsgi.input_terminated"))
        self._limit = limit
        self._sentence = sentence
        self.n_read = 0
        if (self._length or 0) > limit:
            raise TooLarge(f"{sentence} The body was announced with {self._length} bytes.", limit_bytes=limit)

    @property
    def announced(self) -> int:
        """How many bytes the sender says there are; 0 when it does not say."""
        return self._length or 0

    def read(self, n_bytes: int) -> bytes:
        """Up to `n_bytes` bytes; b"" at the end.

        Raises:
            TooLarge: More than the limit has come.
            Invalid: The sender stopped before the end.
        """
        if not self._ends_by_itself:
            n_bytes = min(n_bytes, (self._length or 0) - self.n_read)
        data = self._read_raw(n_bytes) if n_bytes > 0 else b""
        self.n_read += len(data)
        if self.n_read > self._limit:
            raise TooLarge(self._sentence, limit_bytes=self._limit)
        if n_bytes > 0 and not data and self.n_read < (self._length or 0):
            raise self._cut_off(f"{self._length} bytes were announced")
        return data

    def _read_raw(self, n_bytes: int) -> bytes:
        try:
            data: bytes = self._raw.read(n_bytes)
        except TimeoutError as error:
            raise self._cut_off("then nothing came for too long") from error
        except OSError as error:
            raise self._cut_off(f"then the connection failed ({type(error).__name__})") from error
        return data

    def _cut_off(self, what: str) -> Invalid:
        return Invalid(f"The body broke off after {self.n_read} bytes; {what}. Send it again.")
