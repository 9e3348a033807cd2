"""Bytes to pixels inside a worker: in this process while nothing speaks against it, else in a child of its own.

In this process a deadline stands over every image: an alarm whose default action ends the process, so it also works
when a decoder never comes back to Python. The chunk's lease then runs out and somebody else takes it; from the third
claim on it is decoded in a child.
"""

import importlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
from core.sandbox import DecoderProcess
from numpy.typing import NDArray

from core.config import Settings

SANDBOX_FROM_ATTEMPT = 3

Decoder = Callable[[memoryview, int], NDArray[np.uint8]]


@contextmanager
def open_decoder(settings: Settings, attempts: int) -> Iterator[Decoder]:
    """A function (bytes, side_px) -> uint8 (side_px, side_px, 3) that raises ImageError for bad bytes.

    Args:
        attempts: Which claim of the chunk this is, counted from 1.
    """
    if attempts < SANDBOX_FROM_ATTEMPT:
        yield _in_this_process(settings)
        return
    with DecoderProcess(
        settings.decoder,
        memory_bytes=settings.decode_memory_bytes,
        timeout_s=settings.decode_timeout_s,
        max_pixels=settings.max_image_pixels,
    ) as child:
        yield child.decode


def _in_this_process(settings: Settings) -> Decoder:
    decode = load_decoder(settings.decoder)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def decode_in_time(data: memoryview, side_px: int) -> NDArray[np.uint8]:
        signal.setitimer(signal.ITIMER_REAL, settings.decode_timeout_s)
        try:
            return decode(data, side_px, max_pixels=settings.max_image_pixels)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return decode_in_time


def load_decoder(dotted: str) -> Callable[..., NDArray[np.uint8]]:
    """The function that `PAWSORT_DECODER` names as `module:function`."""
    module, _, name = dotted.partition(":")
    return cast("Callable[..., NDArray[np.uint8]]", getattr(importlib.import_module(module), name))
