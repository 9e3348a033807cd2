"""Ports for servers that are told one: two processes of a run never choose the same, and no connection takes it."""

import os
import socket
from itertools import count

# Below the ports that the system gives to connections (from 32,768 on Linux): none is taken before a server listens.
FIRST, N = 10_000, 12_000
ABOVE = 10_000  # a port of SeaweedFS has a second one so far above it
EACH = 101  # processes that run side by side have numbers that lie closer together than N / EACH
_next = count(os.getpid() * EACH)


def free_port() -> int:
    """A port that is free here, and its neighbour 10,000 above too."""
    while True:
        number = FIRST + next(_next) % N
        if all(_is_free(one) for one in (number, number + ABOVE)):
            return number


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
