"""Thumbnails, made by decoder children: few at the same time, so that pictures cannot keep the server's threads.

request ─► a place (children, and half of the threads) ─► room for its bytes, a free child: 10 s each ─► JPEG
                │ none                                       │ none
                503, Retry-After                             503, Retry-After

A browser asks for six thumbnails at once, and the first ones wait until a child has started. A file is read once there
is room for it, so the memory does not grow with the number of requests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import BoundedSemaphore
from typing import NamedTuple

from core.base.config import Settings
from core.base.errors import Busy
from core.decoding.pool.child import DecoderNotStarted
from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool, processors
from web.http.byte_budget import BUSY, ByteBudget

MAX_CHILDREN = 4
WAIT_S = 10.0
MAX_BYTES_AT_ONCE = 32 * 2**20  # of files; a larger one is read when no other is


class PictureFile(NamedTuple):
    """A file that is read when there is room for it.

    Attributes:
        write: Fills a view of `n_bytes` with it.
    """

    n_bytes: int
    write: Callable[[memoryview], None]


class Thumbnails:
    """Makes thumbnails for all threads of one web process."""

    def __init__(self, settings: Settings) -> None:
        n_children = min(max(processors(), 2), MAX_CHILDREN)
        self._pool = DecoderPool(limits=DecodeLimits.from_settings(settings), n_children=n_children)
        self._places = BoundedSemaphore(n_children + settings.web_threads // 2)
        self._reports = BoundedSemaphore(max(1, settings.web_threads // 8))
        self._budget = ByteBudget(MAX_BYTES_AT_ONCE)

    def close(self) -> None:
        """End the children."""
        self._pool.close()

    def make(self, file: PictureFile, size_px: int) -> bytes:
        """A JPEG of a picture whose longer side is `size_px`, or that of the picture if it is smaller.

        Raises:
            ImageError: The picture cannot be decoded.
            Busy: Too many pictures are being read.
        """
        with _place(self._places):
            return self._make(file, size_px, WAIT_S)

    @contextmanager
    def for_report(self) -> Iterator[Callable[[PictureFile, int], bytes]]:
        """Hold one of the few places for reports; yields a `make` that waits for a child as long as it takes.

        Raises:
            Busy: Too many reports are being written.
        """
        with _place(self._reports):
            yield partial(self._make, wait_s=None)

    def _make(self, file: PictureFile, size_px: int, wait_s: float | None) -> bytes:
        try:
            with self._budget.holding(file.n_bytes, wait_s):
                return self._pool.make_thumbnail(file.n_bytes, file.write, size_px, wait_s)
        except DecoderNotStarted as error:  # no memory or no process left, or the server is stopping
            raise Busy(BUSY) from error


@contextmanager
def _place(places: BoundedSemaphore) -> Iterator[None]:
    if not places.acquire(blocking=False):
        raise Busy(BUSY)
    try:
        yield
    finally:
        places.release()
