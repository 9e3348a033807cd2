"""The memory that parent and child share for one request: the files' bytes, then the results and the pixels.

    ┌─────────────┬───────────────────────┬─────────────┬───────────────────────────────────┐
    │ n records   │ n places in the bytes │ the bytes   │ n slots: pixels, or a JPEG file   │
    └─────────────┴───────────────────────┴─────────────┴───────────────────────────────────┘

The child fills records and slots in order, so the parent can see at any time how far it is. What a child has written is
not to be trusted: the parent checks it, and a sealed block cannot be made smaller under its feet.
"""

import contextlib
import fcntl
import mmap
import os
import tempfile
from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from types import TracebackType
from typing import NamedTuple, Self

from core.base.errors import ErrorCode, ImageError, ImageWarning

_RECORD = Struct("<BQd32s200s")  # state, bytes in the slot, processor seconds, error code or warning, its detail
_PLACE = Struct("<QQ")  # offset and length
_JPEG_HEAD_BYTES = 2**16
_DETAIL_BYTES = 200
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)  # all pages at once: one by one they take a tenth of the decoder's time


class Task(IntEnum):
    """What the child makes of each file."""

    DECODE = 0  # a square of pixels
    SHRINK = 1  # a JPEG file that is never larger than the picture


class State(IntEnum):
    """How far one picture is."""

    WAITING = 0
    DONE = 1
    FAILED = 2


class Shape(NamedTuple):
    """What both sides must know to find their way in a block."""

    task: Task
    side_px: int
    n: int
    n_bytes: int

    @property
    def slot_bytes(self) -> int:
        """Room for one result; it takes no memory before it is written to."""
        return 3 * self.side_px**2 + (0 if self.task == Task.DECODE else _JPEG_HEAD_BYTES)

    @property
    def is_filled(self) -> bool:
        """Whether nearly all of it is written to. Slots for JPEG files are much larger than these."""
        return self.task == Task.DECODE

    @property
    def places_at(self) -> int:
        """Where the places of the files begin."""
        return self.n * _RECORD.size

    @property
    def data_at(self) -> int:
        """Where the files' bytes begin."""
        return self.places_at + self.n * _PLACE.size

    @property
    def slots_at(self) -> int:
        """Where the results begin."""
        return self.data_at + self.n_bytes

    @property
    def size(self) -> int:
        """Bytes of the whole block; no memory can be empty."""
        return max(1, self.slots_at + self.n * self.slot_bytes)


class Answer(NamedTuple):
    """What the child says of one picture.

    Attributes:
        payload: Pixels or a JPEG file, as a view of the block; empty for an error.
        verdict: The error, or the warning, if there is one.
        cpu_s: Processor time that it took.
    """

    payload: memoryview
    verdict: ImageError | ImageWarning | None
    cpu_s: float


class Block:
    """One block, mapped into this process."""

    def __init__(self, fd: int, shape: Shape) -> None:
        self.fd = fd
        self.shape = shape
        self._memory = mmap.mmap(fd, shape.size, mmap.MAP_SHARED | (_POPULATE if shape.is_filled else 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)
        with contextlib.suppress(BufferError):  # the memory lives on while somebody looks at pixels in it
            self._memory.close()

    @classmethod
    def of_files(cls, task: Task, side_px: int, files: Sequence[memoryview]) -> Self:
        """A new block with these files."""
        block = cls.for_sizes(task, side_px, [len(data) for data in files])
        for index, data in enumerate(files):
            block.room_for_file(index)[:] = data
        return block

    @classmethod
    def for_sizes(cls, task: Task, side_px: int, sizes: Sequence[int]) -> Self:
        """A new block for files of so many bytes, which `room_for_file` takes."""
        shape = Shape(task, side_px, len(sizes), sum(sizes))
        block = cls(_make_memory(shape.size), shape)
        offset = 0
        for index, n_bytes in enumerate(sizes):
            _PLACE.pack_into(block._memory, shape.places_at + index * _PLACE.size, offset, n_bytes)
            offset += n_bytes
        return block

    def room_for_file(self, index: int) -> memoryview:
        """Where the bytes of one file are, to be written."""
        return memoryview(self._memory)[self._place_of(index)]

    def read_file(self, index: int) -> bytes:
        """The bytes of one file."""
        return self._memory[self._place_of(index)]

    def _place_of(self, index: int) -> slice:
        offset, n_bytes = _PLACE.unpack_from(self._memory, self.shape.places_at + index * _PLACE.size)
        at = self.shape.data_at + offset
        return slice(at, at + n_bytes)

    def write_payload(self, index: int, payload: memoryview, warning: ImageWarning | None, cpu_s: float) -> None:
        """Note what a picture came to.

        Raises:
            ValueError: It is larger than its slot.
        """
        if len(payload) > self.shape.slot_bytes:
            raise ValueError(f"expected at most {self.shape.slot_bytes} bytes from the decoder, got {len(payload)}")
        at = self.shape.slots_at + index * self.shape.slot_bytes
        self._memory[at : at + len(payload)] = payload
        self._write_record(index, State.DONE, len(payload), cpu_s, warning or "", "")

    def write_error(self, index: int, error: ImageError, cpu_s: float) -> None:
        """Note why a picture cannot be decoded."""
        self._write_record(index, State.FAILED, 0, cpu_s, error.code, error.detail or "")

    def is_finished(self, index: int) -> bool:
        """Whether the child has finished with a picture."""
        return self._memory[index * _RECORD.size] != State.WAITING

    def read_answer(self, index: int) -> Answer:
        """What the child says of a picture that it has finished.

        Raises:
            ValueError: This cannot be: the child has been taken over by a picture.
        """
        state, n_bytes, cpu_s, name, detail = _RECORD.unpack_from(self._memory, index * _RECORD.size)
        text = name.rstrip(b"\0").decode("ascii")
        if state == State.FAILED:
            said = detail.rstrip(b"\0").decode(errors="ignore") or None
            return Answer(memoryview(b""), ImageError(ErrorCode(text), said), cpu_s)
        if n_bytes > self.shape.slot_bytes:
            raise ValueError("a decoder says that it has written more than there is room for")
        at = self.shape.slots_at + index * self.shape.slot_bytes
        return Answer(memoryview(self._memory)[at : at + n_bytes], ImageWarning(text) if text else None, cpu_s)

    def _write_record(self, index: int, state: State, n_bytes: int, cpu_s: float, name: str, detail: str) -> None:
        cut = detail.encode(errors="replace")[:_DETAIL_BYTES]
        _RECORD.pack_into(self._memory, index * _RECORD.size, state, n_bytes, cpu_s, name.encode(), cut)


def _make_memory(n_bytes: int) -> int:
    """The descriptor of new memory: a file in memory that keeps its size, or an unlinked file where there is none."""
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryFile() as file:
            file.truncate(n_bytes)
            return os.dup(file.fileno())
    fd = os.memfd_create("pawsort-decoding", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, n_bytes)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd
