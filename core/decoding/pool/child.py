"""The parent's side of one decoder child: start it, hand it a block, wait, end it."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from typing import NamedTuple

import structlog

from core.decoding.pool import request as requests
from core.decoding.pool.block import Block
from core.decoding.pool.request import Request

log = structlog.get_logger()
_START_TIMEOUT_S = 60.0  # importing takes half a second, but on a machine short of memory or under load much longer
_END_TIMEOUT_S = 10.0
_KEPT = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_", "PYTHON", "VIRTUAL_ENV")


class ChildDied(Exception):
    """The child ended while it held a picture: because of the picture, or because it was killed."""


class ChildTimedOut(Exception):
    """The child was ended because a picture took too long."""


class DecoderNotStarted(RuntimeError):
    """A child cannot be started at all: no picture's fault."""


class ChildOptions(NamedTuple):
    """What a child is started with.

    Attributes:
        decoder: "module:function" with the signature of `core.decoding.images.decode`.
        max_pixels: Largest number of pixels that are decoded.
        memory_bytes: Address space of the child, its libraries (0.3 GiB) included.
        niceness: Added to the parent's.
    """

    decoder: str
    max_pixels: int
    memory_bytes: int
    niceness: int = 0


class Child:
    """A child that is started when first needed, and again after it died. Used by one thread at a time."""

    def __init__(self, options: ChildOptions) -> None:
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._is_shut_down = False

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process else None

    def work(self, block: Block, first: int, cpu_s: float, wall_s: float) -> None:
        """Have the pictures of a block decoded, from `first` on.

        Raises:
            ChildDied: The child ended over the first picture that is not finished.
            ChildTimedOut: That picture took too long.
            DecoderNotStarted: There is no child to be had.
        """
        link = self._connect()
        try:
            requests.send(link, Request(block.shape, first, cpu_s, wall_s), block.fd)
            _wait(link, block, first, wall_s)
            answer = link.recv(1)
        except TimeoutError:
            self.close()
            raise ChildTimedOut from None
        except OSError:
            answer = b""
        if answer != requests.FINISHED:
            self._explain_end()

    def close(self) -> None:
        """End the child, if there is one."""
        process, self._process = self._process, None
        link, self._link = self._link, None
        if process is not None:
            process.kill()
            process.wait()
        if link is not None:
            link.close()

    def shut_down(self) -> None:
        """End the child for good, also while another thread is starting it."""
        self._is_shut_down = True
        self.close()

    def _explain_end(self) -> None:
        assert self._process is not None
        try:
            code = self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        self.close()
        if code in (-signal.SIGPROF, -signal.SIGALRM):
            raise ChildTimedOut
        raise ChildDied(f"the decoder's child ended with code {code}")

    def _connect(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it was killed between two pictures: no picture's fault
        return self._link or self._start()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = self._run(theirs)
            except OSError as error:  # no process or no memory left
                ours.close()
                raise DecoderNotStarted(f"The decoder's child process cannot be started: {error}.") from error
        self._link = ours
        if self._is_shut_down:
            self.close()
            raise DecoderNotStarted("The pool of decoder children was closed.")
        ours.settimeout(_START_TIMEOUT_S)
        try:
            word = ours.recv(1)
        except OSError:
            word = b""
        if not word:
            self.close()
            raise DecoderNotStarted("The decoder's child process did not start; its reason is in the log.")
        ours.settimeout(None)
        if word == requests.UNCONFINED:
            _warn_once()
        return ours

    def _run(self, link: socket.socket) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "core.decoding.pool.child_main", *self._arguments(link)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(link.fileno(),),
            env=_child_environment(),
        )

    def _arguments(self, link: socket.socket) -> list[str]:
        values = {"link": link.fileno(), **self._options._asdict()}
        return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def _wait(link: socket.socket, block: Block, first: int, wall_s: float) -> None:
    """Wait for the answer.

    Raises:
        TimeoutError: One picture took longer than `wall_s`.
    """
    poll = select.poll()
    poll.register(link, select.POLLIN)
    index, since = first, time.monotonic()
    while not poll.poll(wall_s / 4 * 1000):
        before = index
        while index < block.shape.n and block.is_finished(index):
            index += 1
        if index > before:
            since = time.monotonic()
        elif time.monotonic() - since > wall_s:
            raise TimeoutError


def _child_environment() -> dict[str, str]:
    """What the child needs of the parent's environment: no addresses, no secrets. One thread for NumPy, whose threads
    each reserve address space.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**kept, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


_warned: set[str] = set()


def _warn_once() -> None:
    if not _warned:
        _warned.add("unconfined")
        log.warning("decoder_unconfined", note="no seccomp here: decoders are limited in memory and time alone")
