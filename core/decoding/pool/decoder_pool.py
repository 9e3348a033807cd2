"""A pool of decoder children: the one way from a stranger's bytes to pixels or thumbnails.

files ─► block in shared memory ─► a free child decodes them in order ─► pixels and results in the block
                                       │ dies: the picture is tried once more, then it is `decoder_crashed`
                                       │ too long: the picture is `decode_timeout`; a new child goes on behind it
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self, TypeAlias

import numpy as np

from core.base.config import Settings
from core.base.errors import ErrorCode, ImageError
from core.decoding.decoded import Decoded
from core.decoding.pool.block import Answer, Block, Task
from core.decoding.pool.child import Child, ChildDied, ChildOptions, ChildTimedOut
from core.decoding.pool.free_children import FreeChildren

Buffer: TypeAlias = bytes | bytearray | memoryview

DEFAULT_DECODER = "core.decoding.images:decode"
IDLE_S = 300.0  # a child has 30 MiB of its own, and takes half a second to start again
PIECE_BYTES = 2 * 2**20  # of files that are decoded before they are handed on; what is larger comes alone
_DEATHS = 2
_WALL_FACTOR = 5  # so many times the processor time, for decoders that wait; a busy machine must not look like one


class DecodeLimits(NamedTuple):
    """What one picture may take.

    Attributes:
        max_pixels: Largest number of pixels that are decoded.
        memory_bytes: Address space of a child, its libraries (0.3 GiB) included.
        cpu_s: Processor time.
    """

    max_pixels: int
    memory_bytes: int
    cpu_s: float

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """What the operator allows."""
        return cls(settings.max_image_pixels, settings.decode_memory_bytes, settings.decode_timeout_s)


class DecoderPool:
    """Children that are started when needed, and kept for a while. Any thread may use it; leaving it ends them."""

    def __init__(
        self,
        decoder: str = DEFAULT_DECODER,
        *,
        limits: DecodeLimits,
        n_children: int = 1,
        niceness: int = 0,
        idle_s: float = IDLE_S,
    ) -> None:
        """Describe the children.

        Args:
            decoder: "module:function" with the signature of `core.decoding.images.decode`.
            limits: For each picture.
            n_children: How many pictures are decoded at the same time.
            niceness: Added to that of this process.
            idle_s: How long a child without work is kept.
        """
        self._limits = limits
        options = ChildOptions(decoder, limits.max_pixels, limits.memory_bytes, niceness)
        self._children = [Child(options) for _ in range(n_children)]
        self._free = FreeChildren(self._children, idle_s)
        self._threads = ThreadPoolExecutor(n_children, "decode")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the children; a batch that is being decoded is finished first."""
        self._threads.shutdown(cancel_futures=True)
        self._free.close()
        for child in self._children:
            child.shut_down()

    def decode_batch(
        self, files: Sequence[Buffer], side_px: int, cpu_s: float | None = None
    ) -> list[Decoded | ImageError]:
        """Decode files, shared out among the children.

        Args:
            files: The bytes of each.
            side_px: Width and height of the results.
            cpu_s: Processor time for each; None for the pool's limit.
        Returns:
            For each file in order, uint8 (side_px, side_px, 3) with its warning, or its error.
        Raises:
            DecoderNotStarted: There is no child to be had.
        """
        shares = _share_out(files, len(self._children))
        if len(shares) <= 1:
            return self._decode(files, side_px, cpu_s)
        futures = [self._threads.submit(self._decode, share, side_px, cpu_s) for share in shares]
        return [decoded for future in futures for decoded in future.result()]

    def decode_pieces(
        self, files: Sequence[Buffer], side_px: int, cpu_s: float | None, n_each: int
    ) -> Iterator[list[Decoded | ImageError]]:
        """Decode files a few at a time, each few by one child; others get a child in between.

        Args:
            files: The bytes of each.
            side_px: Width and height of the results.
            cpu_s: Processor time for each; None for the pool's limit.
            n_each: How many files a child gets at most; fewer if they are large.
        Yields:
            What `decode_batch` returns, for the next few files, as soon as they are decoded.
        Raises:
            DecoderNotStarted: There is no child to be had.
        """
        under_way: deque[Future[list[Decoded | ImageError]]] = deque()
        for piece in _cut_pieces(files, n_each):
            under_way.append(self._threads.submit(self._decode, piece, side_px, cpu_s))
            if len(under_way) > len(self._children):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def decode(self, data: Buffer, side_px: int) -> Decoded:
        """Decode one file.

        Args:
            data: Its bytes.
            side_px: Width and height of the result.
        Returns:
            uint8 (side_px, side_px, 3) with its warning.
        Raises:
            ImageError: The decoder's verdict, `decode_timeout`, or `decoder_crashed`.
            DecoderNotStarted: There is no child to be had.
        """
        [decoded] = self._decode([data], side_px, None)
        if isinstance(decoded, ImageError):
            raise decoded
        return decoded

    def decode_timed(self, data: Buffer, side_px: int, cpu_s: float) -> tuple[Decoded | ImageError, float]:
        """Decode one file, and count the processor seconds that it takes, at most `cpu_s`."""
        with Block.of_files(Task.DECODE, side_px, [memoryview(data)]) as block:
            [answer] = self._work(block, cpu_s, None)
            return _decoded(answer, side_px), answer.cpu_s

    def make_thumbnails(
        self, files: Sequence[Buffer], size_px: int, *, wait_s: float | None = None
    ) -> list[bytes | ImageError]:
        """Encode a small JPEG of each file.

        Args:
            files: The bytes of each.
            size_px: Length of the longer side; a smaller picture keeps its size.
            wait_s: For a free child; None for as long as it takes.
        Raises:
            Busy: No child is free.
            DecoderNotStarted: There is no child to be had.
        """
        with Block.of_files(Task.SHRINK, size_px, [memoryview(data) for data in files]) as block:
            answers = self._work(block, None, wait_s)
            return [
                answer.verdict if isinstance(answer.verdict, ImageError) else bytes(answer.payload)
                for answer in answers
            ]

    def make_thumbnail(
        self, n_bytes: int, write: Callable[[memoryview], None], size_px: int, wait_s: float | None = None
    ) -> bytes:
        """Encode a small JPEG of one file, which is written where the child reads it.

        Args:
            n_bytes: Of the file.
            write: Fills a view of that length with it.
            size_px: Length of the longer side; a smaller picture keeps its size.
            wait_s: For a free child; None for as long as it takes.
        Raises:
            ImageError: The decoder's verdict.
            Busy: No child is free.
            DecoderNotStarted: There is no child to be had.
        """
        with Block.for_sizes(Task.SHRINK, size_px, [n_bytes]) as block:
            write(block.room_for_file(0))
            [answer] = self._work(block, None, wait_s)
            if isinstance(answer.verdict, ImageError):
                raise answer.verdict
            return bytes(answer.payload)

    def _decode(self, files: Sequence[Buffer], side_px: int, cpu_s: float | None) -> list[Decoded | ImageError]:
        with Block.of_files(Task.DECODE, side_px, [memoryview(data) for data in files]) as block:
            return [_decoded(answer, side_px) for answer in self._work(block, cpu_s, None)]

    def _work(self, block: Block, cpu_s: float | None, wait_s: float | None) -> list[Answer]:
        child = self._free.take(wait_s)
        try:
            wall_s = _WALL_FACTOR * self._limits.cpu_s
            return _finish(child, block, self._limits.cpu_s if cpu_s is None else cpu_s, wall_s)
        except BaseException:
            child.close()  # whatever it is doing, nobody waits for it any more
            raise
        finally:
            self._free.give_back(child)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _finish(child: Child, block: Block, cpu_s: float, wall_s: float) -> list[Answer]:
    """The answer to each picture of a block; children are replaced until all of them are there."""
    answers: list[Answer] = []
    n_deaths = 0
    while (first := len(answers)) < block.shape.n:
        fault = _work_once(child, block, first, cpu_s, wall_s)
        answers += _finished(block, first)
        n_deaths = n_deaths * (len(answers) == first) + (fault == ErrorCode.DECODER_CRASHED)
        is_blamed = fault == ErrorCode.DECODE_TIMEOUT or n_deaths == _DEATHS
        if fault is not None and is_blamed and len(answers) < block.shape.n:
            answers.append(Answer(memoryview(b""), ImageError(fault), cpu_s))
            n_deaths = 0
    return answers


def _work_once(child: Child, block: Block, first: int, cpu_s: float, wall_s: float) -> ErrorCode | None:
    """How the child ended, if it did."""
    try:
        child.work(block, first, cpu_s, wall_s)
    except ChildTimedOut:
        return ErrorCode.DECODE_TIMEOUT
    except ChildDied:
        return ErrorCode.DECODER_CRASHED
    return None


def _finished(block: Block, first: int) -> Iterable[Answer]:
    """The answers from `first` on, up to the picture that is not finished."""
    for index in range(first, block.shape.n):
        if not block.is_finished(index):
            return
        try:
            yield block.read_answer(index)
        except ValueError:  # the child wrote what no decoder writes
            yield Answer(memoryview(b""), ImageError(ErrorCode.DECODER_CRASHED), 0.0)


def _decoded(answer: Answer, side_px: int) -> Decoded | ImageError:
    if isinstance(answer.verdict, ImageError):
        return answer.verdict
    if len(answer.payload) != 3 * side_px**2:
        return ImageError(ErrorCode.DECODER_CRASHED)
    return Decoded(np.frombuffer(answer.payload, np.uint8).reshape(side_px, side_px, 3), answer.verdict)


def _cut_pieces(files: Sequence[Buffer], n_each: int) -> Iterator[list[Buffer]]:
    piece: list[Buffer] = []
    n_bytes = 0
    for file in files:
        if piece and (len(piece) == n_each or n_bytes + len(file) > PIECE_BYTES):
            yield piece
            piece, n_bytes = [], 0
        piece.append(file)
        n_bytes += len(file)
    if piece:
        yield piece


def _share_out(files: Sequence[Buffer], n: int) -> list[Sequence[Buffer]]:
    """As many runs of files as there are children, none of them empty."""
    size = max(1, -(-len(files) // n))
    return [files[start : start + size] for start in range(0, len(files), size)]
