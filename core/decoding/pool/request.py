"""A request on the socket between the parent and a child: a few numbers, and the descriptor of a block."""

import array
import socket
from struct import Struct
from typing import NamedTuple

from core.decoding.pool.block import Shape, Task

FINISHED = b"\1"  # the child's whole answer: the results are in the block
READY, UNCONFINED = b"\2", b"\3"  # its first word: whether the kernel keeps it from files and the network
_NUMBERS = Struct("<BIQQQdd")


class Request(NamedTuple):
    """What a child is asked to do.

    Attributes:
        shape: Of the block.
        first: The first picture to work on; the ones before it are done.
        cpu_s: Processor time for each picture.
        wall_s: Time for each picture, for decoders that wait.
    """

    shape: Shape
    first: int
    cpu_s: float
    wall_s: float


def send(link: socket.socket, request: Request, fd: int) -> None:
    """Send a request with its block."""
    numbers = _NUMBERS.pack(*request.shape, *request[1:])
    socket.send_fds(link, [numbers], [fd])


def receive(link: socket.socket) -> tuple[Request, int] | None:
    """The next request and the descriptor of its block; None when the parent is gone."""
    fds = array.array("i")
    numbers, ancillary, _, _ = link.recvmsg(_NUMBERS.size, socket.CMSG_LEN(fds.itemsize), socket.MSG_WAITALL)
    if len(numbers) < _NUMBERS.size:
        return None
    fds.frombytes(ancillary[0][2])
    task, side_px, n, n_bytes, first, cpu_s, wall_s = _NUMBERS.unpack(numbers)
    return Request(Shape(Task(task), side_px, n, n_bytes), first, cpu_s, wall_s), fds[0]
