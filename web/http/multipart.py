"""A form with one file, read as a stream: first the fields before the file, then the file itself.

Flask would store the whole file in a temporary file before a view sees any of it.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from core.base.errors import Invalid

MAX_AHEAD_BYTES = 2**18  # all fields together, with the first bytes of the file
MAX_PARTS = 20
MAX_FORM_BYTES = 2**20  # what a form may contain besides its file; added to the limit of a body
PIECE_BYTES = 2**16


class FileForm:
    """The form of this request, read up to its file.

    Args:
        read: Returns up to n bytes of the body, b"" at its end.
    Attributes:
        fields: The fields before the file.
        file_name: As the browser sent it; "" if no file was chosen.
    Raises:
        Invalid: The body is not such a form, or has no file.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype != "multipart/form-data" or not boundary:
            raise Invalid("Expected a form with a file (multipart/form-data). Use the form on the first page.")
        self._body = read
        self._decoder = MultipartDecoder(boundary.encode(), max_parts=MAX_PARTS)
        self._is_ahead = True  # of the file
        self._n_ahead = 0
        self._left = b""
        self._is_over = False
        self.fields: dict[str, str] = {}
        self.file_name = self._read_fields()
        self._is_ahead = False

    def read(self, n_bytes: int) -> bytes:
        """Up to `n_bytes` bytes of the file; b"" at its end."""
        while not self._left and not self._is_over:
            event = self._next()
            self._is_over = not isinstance(event, Data) or not event.more_data
            self._left = event.data if isinstance(event, Data) else b""
        piece, self._left = self._left[:n_bytes], self._left[n_bytes:]
        return piece

    def drain(self) -> list[str]:
        """Read the rest of the body after the file; browsers only read an answer once they have sent everything.

        Returns:
            The names of further files, of which nothing was read.
        """
        others = []
        with suppress(Invalid):  # the file itself is whole
            while self.read(PIECE_BYTES):
                pass
            others = [event.filename for event in self._events() if isinstance(event, File)]
        while self._body(PIECE_BYTES):
            pass
        return others

    def _read_fields(self) -> str:
        for event in self._events():
            if isinstance(event, File):
                return event.filename
            if isinstance(event, Field):
                self.fields[event.name] = self._read_field()
        raise Invalid("The form has no file. Choose a ZIP or TAR first.")

    def _read_field(self) -> str:
        value = b""
        while isinstance(event := self._next(), Data):
            value += event.data
            if not event.more_data:
                break
        return value.decode(errors="replace")

    def _events(self) -> Iterator[Event]:
        while not isinstance(event := self._next(), Epilogue):
            yield event

    def _next(self) -> Event:
        """The next event of the form.

        Raises:
            Invalid: The form is malformed, or ends too early.
        """
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                self._decoder.receive_data(self._next_piece() or None)
        except (ValueError, RequestEntityTooLarge) as error:
            raise Invalid("The form is incomplete or malformed. Send it again.") from error
        return event

    def _next_piece(self) -> bytes:
        piece = self._body(PIECE_BYTES)
        if self._is_ahead:
            self._n_ahead += len(piece)
            if self._n_ahead > MAX_AHEAD_BYTES:
                raise Invalid(
                    f"Expected at most {MAX_AHEAD_BYTES} bytes before the file. Use the form on the first page."
                )
        return piece
