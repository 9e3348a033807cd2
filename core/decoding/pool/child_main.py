"""A decoder's own process: load the decoder, give up everything else, then decode until the parent is gone.

It ends by itself: when the socket closes, and by the kernel's timers when a picture takes too long.
"""

import argparse
import importlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from core.base.errors import ErrorCode, ImageError, ImageWarning
from core.decoding import images
from core.decoding.decoded import Decoded
from core.decoding.pool import request as requests
from core.decoding.pool import sandbox
from core.decoding.pool.block import Block, Task
from core.decoding.pool.request import Request
from core.decoding.pool.warm_up import warm_up

DecodeFunction = Callable[..., Decoded]


def main() -> None:
    """Serve the parent's requests."""
    options = _parse_options()
    link = socket.socket(fileno=options.link)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.nice(options.niceness)
    module, function = options.decoder.split(":")
    decode = getattr(importlib.import_module(module), function)
    warm_up()
    is_confined = sandbox.enter(options.memory_bytes)
    os.write(link.fileno(), requests.READY if is_confined else requests.UNCONFINED)
    while received := requests.receive(link):
        _serve(*received, decode, options.max_pixels)
        os.write(link.fileno(), requests.FINISHED)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="core.decoding.pool.child_main", description="Decodes pictures for a process of Pawsort."
    )
    parser.add_argument("--link", type=int, required=True)
    parser.add_argument("--decoder", required=True)
    parser.add_argument("--max-pixels", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--niceness", type=int, required=True)
    return parser.parse_args()


def _serve(request: Request, fd: int, decode: DecodeFunction, max_pixels: int) -> None:
    with Block(fd, request.shape) as block:
        for index in range(request.first, request.shape.n):
            began = time.process_time()
            with _deadline(request.cpu_s, request.wall_s):
                try:
                    payload, warning = _make(block.read_file(index), request, decode, max_pixels)
                except ImageError as error:
                    block.write_error(index, error, time.process_time() - began)
                except MemoryError:
                    block.write_error(index, ImageError(ErrorCode.OUT_OF_MEMORY), time.process_time() - began)
                else:
                    block.write_payload(index, payload, warning, time.process_time() - began)


def _make(
    data: bytes, request: Request, decode: DecodeFunction, max_pixels: int
) -> tuple[memoryview, ImageWarning | None]:
    """Pixels, or a JPEG file, of one picture."""
    task, side_px = request.shape.task, request.shape.side_px
    if task == Task.SHRINK:
        jpeg = images.make_thumbnail(data, side_px, max_pixels=max_pixels)
        return memoryview(jpeg), None
    decoded = decode(data, side_px, max_pixels=max_pixels)
    return np.ascontiguousarray(decoded.pixels, np.uint8).data.cast("B"), decoded.warning


@contextmanager
def _deadline(cpu_s: float, wall_s: float) -> Iterator[None]:
    """Let the kernel end this process when a picture takes too long.

    A handler in Python would wait for the decoder to return; the signals' own action does not. The parent watches the
    wall clock too: this one outlives a parent that was killed while a decoder hung.
    """
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, 2 * wall_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
