"""Decoding what may kill the decoder: a child process for suspects, and a deadline for everybody else.

    worker ─► DecoderProcess ─(side, length, bytes)─► this module, run ─(status, length, pixels or code)─► worker

The child imports the decoder and the error codes, nothing else. It has its own limit on memory, and ends by itself
when its parent is gone. A crash costs one image: see `DecoderProcess.decode`.
"""

import argparse
import importlib
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.base.errors import ErrorCode, ImageError

Buffer: TypeAlias = bytes | bytearray | memoryview

DEFAULT_DECODER = "core.decoding.images:decode_image"
_REQUEST = struct.Struct(">IQ")  # side in pixels, length of the file that follows
_ANSWER = struct.Struct(">cQ")  # status, length of the pixels or the code that follow
_OK, _FAILED = b"\0", b"\1"
_START_TIMEOUT_S = 60.0  # importing takes 0.2 s, but on a machine short of memory or under load much longer
_PIECE_BYTES = 2**16
_DEATHS = 2
_KEPT = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_", "PYTHON", "VIRTUAL_ENV")


class DecoderDied(Exception):
    """The child ended while it held an image: because of the image, or because it was killed."""


class DecoderNotStarted(RuntimeError):
    """The child cannot be started at all: no image's fault."""


def use_decode_deadline() -> None:
    """Let the kernel end this process when a deadline passes. Call once, from the main thread, before the first `arm`.

    A handler in Python would wait for the decoder to return; the signal's own action does not.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def arm_decode_deadline(seconds: float) -> None:
    """End this process unless `disarm_decode_deadline` is called within this many seconds. Costs under 1 µs.

    One timer for the whole process: decode one image at a time.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)


def disarm_decode_deadline() -> None:
    """The image is decoded: let the process live."""
    signal.setitimer(signal.ITIMER_REAL, 0.0)


class DecoderProcess:
    """A child that decodes one image at a time, started when first needed and again after it died.

    Use it as a context manager; leaving it ends the child.
    """

    def __init__(
        self,
        decoder: str = DEFAULT_DECODER,
        *,
        max_pixels: int,
        memory_bytes: int,
        timeout_s: float,
    ) -> None:
        """Describe the child.

        Args:
            decoder: "module:function" with the signature of `core.decoding.images.decode_image`.
            max_pixels: Largest width x height that is decoded.
            memory_bytes: Address space of the child, its libraries (0.15 GiB) included.
            timeout_s: Wall time for one image.
        """
        self._timeout_s = timeout_s
        self._arguments = [
            f"--decoder={decoder}",
            f"--max-pixels={max_pixels}",
            f"--memory-bytes={memory_bytes}",
            f"--timeout-s={timeout_s}",
        ]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decode(self, data: Buffer, side_px: int) -> NDArray[np.uint8]:
        """Decode one image; blame it for the child's death only when two children died over it.

        Args:
            data: The file's bytes.
            side_px: Width and height of the result.
        Returns:
            uint8 (side_px, side_px, 3), rows from the top, RGB, 0 to 255.
        Raises:
            ImageError: The decoder's verdict, `decode_timeout`, or `decoder_crashed` after the second death.
            DecoderNotStarted: There is no child to be had.
        """
        for _ in range(_DEATHS):
            try:
                return self.decode_once(data, side_px)
            except DecoderDied:
                continue
        raise ImageError(ErrorCode.DECODER_CRASHED)

    def decode_once(self, data: Buffer, side_px: int) -> NDArray[np.uint8]:
        """Decode one image in one child.

        Args:
            data: The file's bytes.
            side_px: Width and height of the result.
        Returns:
            uint8 (side_px, side_px, 3), rows from the top, RGB, 0 to 255.
        Raises:
            ImageError: The decoder's verdict, or `decode_timeout`.
            DecoderDied: The child ended over this image.
            DecoderNotStarted: There is no child to be had.
        """
        child = self._running_child()
        try:
            status, payload = _exchange(child, (_REQUEST.pack(side_px, len(data)), data), self._timeout_s)
        except TimeoutError:
            self.close()
            raise ImageError(ErrorCode.DECODE_TIMEOUT) from None
        except (EOFError, BrokenPipeError):
            self.close()
            raise DecoderDied(f"the decoder's child ended with code {child.returncode}") from None
        if status == _FAILED:
            raise ImageError(ErrorCode(payload.decode()))
        return np.frombuffer(payload, np.uint8).reshape(side_px, side_px, 3)

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                pipe.close()

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.close()  # it was killed between two images: no image's fault
        if self._child is None:
            self._child = self._start()
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "core.decoding.decoder_process", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=_child_environment(),
        )
        self._child = child
        try:
            _exchange(child, (), _START_TIMEOUT_S)
        except (TimeoutError, EOFError) as error:
            self.close()
            raise DecoderNotStarted("The decoder's child process did not start; its reason is in the log.") from error
        return child


def _child_environment() -> dict[str, str]:
    """What the child needs of the parent's environment: no addresses, no secrets. One thread for NumPy, whose threads
    each reserve address space.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**kept, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _exchange(child: subprocess.Popen[bytes], request: tuple[Buffer, ...], timeout_s: float) -> tuple[bytes, bytes]:
    """Send a request and wait for the answer.

    Raises:
        TimeoutError: Not within the time.
        EOFError, BrokenPipeError: The child has ended.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    deadline = time.monotonic() + timeout_s
    os.set_blocking(child.stdin.fileno(), False)
    for part in request:
        view = memoryview(part)
        while view:
            _wait(child.stdin.fileno(), select.POLLOUT, deadline)
            view = view[os.write(child.stdin.fileno(), view[:_PIECE_BYTES]) :]
    status, n_bytes = _ANSWER.unpack(_receive(child.stdout.fileno(), _ANSWER.size, deadline))
    return status, _receive(child.stdout.fileno(), n_bytes, deadline)


def _receive(pipe: int, n_bytes: int, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < n_bytes:
        _wait(pipe, select.POLLIN, deadline)
        piece = os.read(pipe, min(n_bytes - len(received), 2**20))
        if not piece:
            raise EOFError
        received += piece
    return bytes(received)


def _wait(pipe: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _main() -> None:
    """The child: decode until the parent closes the pipe."""
    options = _parse_options()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    use_decode_deadline()
    requests, answers = _own_pipes()
    module, function = options.decoder.split(":")
    decode = getattr(importlib.import_module(module), function)
    _limit(options.memory_bytes)
    _send(answers, _OK, b"")
    while head := requests.read(_REQUEST.size):
        side_px, n_bytes = _REQUEST.unpack(head)
        # The parent enforces the time; this outlives a parent that was killed while a decoder hung.
        arm_decode_deadline(options.timeout_s * 2 + 5)
        _send(answers, *_answer(decode, requests.read(n_bytes), side_px, options.max_pixels))
        disarm_decode_deadline()


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="core.decoding.decoder_process", description="Decodes pictures for a Pawsort worker."
    )
    parser.add_argument("--decoder", required=True)
    parser.add_argument("--max-pixels", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--timeout-s", type=float, required=True)
    return parser.parse_args()


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from standard input and output, so that a library's print cannot spoil an answer."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    except (OSError, ValueError):
        return  # macOS refuses limits on address space; there the time limit alone protects


def _answer(decode: Any, data: bytes, side_px: int, max_pixels: int) -> tuple[bytes, bytes]:
    try:
        pixels = decode(data, side_px, max_pixels=max_pixels)
        return _OK, np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()
    except MemoryError:
        return _FAILED, ErrorCode.OUT_OF_MEMORY.encode()
    except ImageError as error:
        return _FAILED, error.code.encode()


def _send(pipe: BinaryIO, status: bytes, payload: bytes) -> None:
    pipe.write(_ANSWER.pack(status, len(payload)) + payload)
    pipe.flush()


if __name__ == "__main__":
    _main()
