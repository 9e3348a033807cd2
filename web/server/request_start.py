"""The start of a request, as far as it has arrived: the head, and a small body.

A thread takes over once this is complete, so it does not have to wait for the client. gunicorn parses the same bytes
again; here only the end of the head and the size of the body are found, and what is malformed is left to gunicorn.
"""

import re

MAX_HEAD_BYTES = 64 * 2**10
SMALL_BODY_BYTES = 256 * 2**10

_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")  # gunicorn refuses such a head at once
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_STREAMS = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)


class RequestStart:
    """Collects the start of one request.

    Attributes:
        data: Everything that has arrived.
        is_streaming: The body is large, of unknown size, or sent only after the server has agreed.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray()
        self.is_streaming = False
        self._n_expected: int | None = None
        self.add(data)

    def add(self, data: bytes) -> None:
        """Add bytes that have just arrived."""
        searched = max(len(self.data) - len(_END) + 1, 0)
        self.data += data
        if not self.has_head:
            self._find_head(searched)

    @property
    def has_head(self) -> bool:
        """The head has arrived, or is malformed for sure."""
        return self._n_expected is not None

    @property
    def is_too_large(self) -> bool:
        """The head has no end within `MAX_HEAD_BYTES`."""
        return not self.has_head and len(self.data) > MAX_HEAD_BYTES

    @property
    def is_complete(self) -> bool:
        """The head has arrived and, if it is small, the body."""
        return self._n_expected is not None and len(self.data) >= self._n_expected

    @property
    def n_missing(self) -> int:
        """How many bytes of a small body have not arrived."""
        return max((self._n_expected or 0) - len(self.data), 0)

    def _find_head(self, searched: int) -> None:
        end = self.data.find(_END, searched)
        if end < 0:
            if _BARE_LF.search(self.data, max(searched - 1, 0)):
                self._n_expected = 0
            return
        end += len(_END)
        length = _LENGTH.search(self.data, 0, end)
        n_bytes = int(length[1]) if length else 0
        self.is_streaming = n_bytes > SMALL_BODY_BYTES or _STREAMS.search(self.data, 0, end) is not None
        self._n_expected = end if self.is_streaming else end + n_bytes
