"""Bytes to pixels inside a worker: in this process while nothing speaks against it, else in children of its own.

In this process a deadline stands over every image, which ends the process itself. The chunk's lease then runs out and
somebody else takes it; from the third claim on, its images are decoded in a child (core/decoding/
decoder_process.py). What is read for a training is so much that a child for each processor pays.
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

MANY = 1000  # pictures from which on it pays to start a child for each processor: about a second of decoding
_AHEAD = 16  # pictures for each child that wait for it or for whoever asked

Decoder = Callable[[memoryview, int], NDArray[np.uint8]]
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@contextmanager
def open_decoder(settings: Settings, attempt: int) -> Iterator[Decoder]:
    """A function (bytes, side_px) -> uint8 (side_px, side_px, 3) that raises ImageError for bad bytes.

    Args:
        attempt: Which claim of the chunk this is, counted from 1.
    """
    if attempt < SANDBOX_FROM_ATTEMPT:
        yield _in_this_process(settings)
        return
    with _child(settings) as child:
        yield child.decode


def map_decoded(
    settings: Settings, attempt: int, work: Callable[[Decoder, Asked], Answer], asked: Iterable[Asked], n: int
) -> Iterator[Answer]:
    """`work` for all that is asked, in order; by a child for each processor where there is much to do.

    Args:
        attempt: As of `open_decoder`.
        work: Gets a decoder; runs in a thread, and catches what one image may raise.
        n: About how many there are.
    """
    if n < MANY:
        with open_decoder(settings, attempt) as decode:
            yield from map(partial(work, decode), asked)
        return
    idle = SimpleQueue[Decoder]()

    def with_child(one: Asked) -> Answer:
        decode = idle.get()
        try:
            return work(decode, one)
        finally:
            idle.put(decode)

    n_children = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ExitStack() as stack:
        for _ in range(n_children):
            idle.put(stack.enter_context(_child(settings)).decode)
        pool = stack.enter_context(ThreadPoolExecutor(n_children, "decode"))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        waiting = deque[Future[Answer]]()
        for one in asked:
            waiting.append(pool.submit(with_child, one))
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


class Stored(Protocol):
    """Where the bytes of an image are in its shard; `declared_bytes` is set when they were too many to be sent."""

    @property
    def offset(self) -> int: ...
    @property
    def n_bytes(self) -> int: ...
    @property
    def declared_bytes(self) -> int | None: ...


def decode_stored(image: Stored, shard: memoryview, decode: Decoder, side_px: int) -> NDArray[np.uint8]:
    """The pixels of one image of a shard, uint8 (side_px, side_px, 3).

    Raises:
        ImageError: This image cannot be decoded.
    """
    if image.declared_bytes is not None:
        raise ImageError(ErrorCode.TOO_MANY_BYTES)
    try:
        return decode(shard[image.offset : image.offset + image.n_bytes], side_px)
    except MemoryError as error:  # must never leave a task: it ends a whole Celery worker
        raise ImageError(ErrorCode.OUT_OF_MEMORY) from error


def load_decoder(dotted: str) -> Callable[..., NDArray[np.uint8]]:
    """The function that `PAWSORT_DECODER` names as `module:function`."""
    module, _, name = dotted.partition(":")
    return cast("Callable[..., NDArray[np.uint8]]", getattr(importlib.import_module(module), name))
