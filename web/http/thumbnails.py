"""Thumbnails, made by decoder children: few at the same time, so that pictures cannot keep the server's threads.

request ─► a place (children, and half of the threads) ─► a free child within 10 s ─► JPEG
                │ none                                       │ none
                503, Retry-After                             503, Retry-After

A browser asks for six thumbnails at once, and the first ones wait until a child has started.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import BoundedSemaphore

from core.base.config import Settings
from core.base.errors import Busy, ImageError
from core.decoding.pool.child import DecoderNotStarted
from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool, processors

MAX_CHILDREN = 4
WAIT_S = 10.0
BUSY = "Too many pictures are being read at the moment. Try again in a few seconds."


class Thumbnails:
    """Makes thumbnails for all threads of one web process."""

    def __init__(self, settings: Settings) -> None:
        n_children = min(max(processors(), 2), MAX_CHILDREN)
        self._pool = DecoderPool(limits=DecodeLimits.from_settings(settings), n_children=n_children)
        self._places = BoundedSemaphore(n_children + settings.web_threads // 2)
        self._reports = BoundedSemaphore(max(1, settings.web_threads // 8))

    def close(self) -> None:
        """End the children."""
        self._pool.close()

    def make(self, data: bytes, size_px: int) -> bytes:
        """A JPEG of a picture whose longer side is `size_px`, or that of the picture if it is smaller.

        Raises:
            ImageError: The picture cannot be decoded.
            Busy: Too many pictures are being read.
        """
        with _place(self._places):
            return self._make(data, size_px, WAIT_S)

    @contextmanager
    def for_report(self) -> Iterator[Callable[[bytes, int], bytes]]:
        """Hold one of the few places for reports; yields a `make` that waits for a child as long as it takes.

        Raises:
            Busy: Too many reports are being written.
        """
        with _place(self._reports):
            yield partial(self._make, wait_s=None)

    def _make(self, data: bytes, size_px: int, wait_s: float | None) -> bytes:
        try:
            [made] = self._pool.make_thumbnails([data], size_px, wait_s=wait_s)
        except DecoderNotStarted as error:  # no memory or no process left, or the server is stopping
            raise Busy(BUSY) from error
        if isinstance(made, ImageError):
            raise made
        return made


@contextmanager
def _place(places: BoundedSemaphore) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise Busy(BUSY)
    try:
        yield
    finally:
        places.release()
