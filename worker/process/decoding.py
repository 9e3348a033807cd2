"""Decoding inside a worker: usually in its own process, in child processes after crashes or for many images.

In the worker's process every image has a deadline that ends the process itself. The chunk's lease then expires and
another worker claims it. From the third claim on, its images are decoded in a child process
(core/decoding/decoder_process.py). A training decodes so many images that one child for each processor pays off.
"""

import importlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from core.base.config import Settings
from core.base.errors import ErrorCode, ImageError
from core.decoding.decoder_process import (
    DecoderProcess,
    arm_decode_deadline,
    disarm_decode_deadline,
    use_decode_deadline,
)

SANDBOX_FROM_ATTEMPT = 3

MANY = 1000  # images, about a second of decoding: from here on, starting a child for each processor pays off
_AHEAD = 16  # images for each child that are submitted in advance

Decoder = Callable[[memoryview, int], NDArray[np.uint8]]
Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def open_decoder(settings: Settings, attempt: int) -> Iterator[Decoder]:
    """A function from bytes and side_px to uint8 (side_px, side_px, 3), 0 to 255; it raises ImageError for bad bytes.

    Args:
        settings: Name the decoder and its limits.
        attempt: The number of this claim of the chunk, counted from 1.
    """
    if attempt < SANDBOX_FROM_ATTEMPT:
        yield _in_this_process(settings)
        return
    with _child(settings) as child:
        yield child.decode


def map_decoded(
    settings: Settings, attempt: int, work: Callable[[Decoder, Item], Result], items: Iterable[Item], n: int
) -> Iterator[Result]:
    """The results of `work` for all items, in order; with a child process for each processor if there are many.

    Args:
        settings: Name the decoder and its limits.
        attempt: As for `open_decoder`.
        work: From a decoder and an item to a result. It runs in a thread, and handles errors of single images.
        items: What to decode.
        n: Their approximate number.
    """
    if n < MANY:
        with open_decoder(settings, attempt) as decode:
            yield from map(partial(work, decode), items)
        return
    idle = SimpleQueue[Decoder]()

    def with_child(item: Item) -> Result:
        decode = idle.get()
        try:
            return work(decode, item)
        finally:
            idle.put(decode)

    n_children = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ExitStack() as stack:
        for _ in range(n_children):
            idle.put(stack.enter_context(_child(settings)).decode)
        pool = stack.enter_context(ThreadPoolExecutor(n_children, "decode"))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        waiting = deque[Future[Result]]()
        for item in items:
            waiting.append(pool.submit(with_child, item))
            if len(waiting) > _AHEAD * n_children:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _child(settings: Settings) -> DecoderProcess:
    return DecoderProcess(
        settings.decoder,
        max_pixels=settings.max_image_pixels,
        memory_bytes=settings.decode_memory_bytes,
        timeout_s=settings.decode_timeout_s,
    )


def _in_this_process(settings: Settings) -> Decoder:
    decode = load_decoder(settings.decoder)
    if threading.current_thread() is threading.main_thread():
        use_decode_deadline()

    def decode_in_time(data: memoryview, side_px: int) -> NDArray[np.uint8]:
        arm_decode_deadline(settings.decode_timeout_s)
        try:
            return decode(data, side_px, max_pixels=settings.max_image_pixels)
        finally:
            disarm_decode_deadline()

    return decode_in_time


class StoredBytes(Protocol):
    """The place of an image's bytes in its shard; `declared_bytes` is set if the file was too large to be uploaded."""

    @property
    def offset(self) -> int: ...
    @property
    def n_bytes(self) -> int: ...
    @property
    def declared_bytes(self) -> int | None: ...


def decode_stored(image: StoredBytes, shard: memoryview, decode: Decoder, side_px: int) -> NDArray[np.uint8]:
    """Decode one image of a shard.

    Args:
        image: Its place in the shard.
        shard: The bytes of the shard.
        decode: From `open_decoder`.
        side_px: Height and width to decode to.
    Returns:
        uint8 (side_px, side_px, 3), 0 to 255.
    Raises:
        ImageError: This image cannot be decoded.
    """
    if image.declared_bytes is not None:
        raise ImageError(ErrorCode.TOO_MANY_BYTES)
    try:
        return decode(shard[image.offset : image.offset + image.n_bytes], side_px)
    except MemoryError as error:  # must not leave the task: it would end the whole Celery worker
        raise ImageError(ErrorCode.OUT_OF_MEMORY) from error


def load_decoder(dotted: str) -> Callable[..., NDArray[np.uint8]]:
    """The function that `PAWSORT_DECODER` names as `module:function`."""
    module, _, name = dotted.partition(":")
    return cast("Callable[..., NDArray[np.uint8]]", getattr(importlib.import_module(module), name))
