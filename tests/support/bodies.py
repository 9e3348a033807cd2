"""Bodies of requests for tests."""

import io


class Body:
    """A request's body that may give a few bytes at a time, and counts what was read."""

    def __init__(self, data: bytes, piece: int | None = None) -> None:
        self._data = io.BytesIO(data)
        self._piece = piece
        self.n_read = 0

    def read(self, n: int) -> bytes:
        """At most `n` bytes, and at most a piece."""
        piece = self._data.read(min(n, self._piece or n))
        self.n_read += len(piece)
        return piece
