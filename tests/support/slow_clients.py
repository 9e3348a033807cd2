"""Clients that send or read so slowly that they would keep a server from answering others."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

DRIBBLE_S = 1.0
MIB = 2**20


def kinds(path: str, token: str, host: str = "localhost") -> dict[str, tuple[bytes, bool]]:
    """What each kind of slow client sends first, and whether it dribbles bytes after that.

    Args:
        path: An upload that takes shards.
    """
    hosted = f"Host: {host}\r\n"
    stored = f"PUT {path}/shards/7 HTTP/1.1\r\n{hosted}Content-Length: {20 * MIB}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n"
    texts = {
        "silent": ("", False),
        "half a head": (f"GET /login HTTP/1.1\r\n{hosted}X-Part: ", False),
        "dribbled head": (f"GET /login HTTP/1.1\r\n{hosted}X-Part: ", True),
        "stalled small body": (f"POST /login HTTP/1.1\r\n{hosted}{form}\r\ntoken=", False),
        "stalled body": (f"{stored}Authorization: Bearer {token}\r\n\r\nx", False),
        "dribbled body": (f"{stored}Authorization: Bearer {token}\r\n\r\nx", True),
        "dribbled body of a stranger": (f"{stored}\r\nx", True),
        "chunked body": (f"PUT {path}/shards/8 HTTP/1.1\r\n{hosted}Transfer-Encoding: chunked\r\n\r\n2000\r\nx", True),
    }
    return {name: (text.encode(), dribbles) for name, (text, dribbles) in texts.items()}


@contextmanager
def slow_clients(
    url: str, n: int, first: bytes, dribbles: bool, reads_slowly: bool = False, source: str = "127.0.0.1"
) -> Iterator[None]:
    """Keep `n` connections busy with slow clients; those that the server closes come back.

    Args:
        source: The address that they come from.
    """
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
    ended = threading.Event()

    def connect() -> socket.socket:
        connection = socket.socket()
        if reads_slowly:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.bind((source, 0))
        connection.connect(address)
        connection.settimeout(0.0 if not reads_slowly else None)
        connection.sendall(first)
        return connection

    def run(connections: list[socket.socket]) -> None:
        while not ended.wait(DRIBBLE_S):
            for place, connection in enumerate(connections):
                if not _goes_on(connection, dribbles, reads_slowly):
                    connection.close()
                    connections[place] = connect()

    with ExitStack() as stack:
        connections = [connect() for _ in range(n)]
        thread = threading.Thread(target=run, args=(connections,))
        thread.start()
        stack.callback(_close, connections)
        stack.callback(thread.join)
        stack.callback(ended.set)
        yield


def _close(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()


def _goes_on(connection: socket.socket, dribbles: bool, reads_slowly: bool) -> bool:
    """One step of a slow client; false where the server has closed the connection."""
    try:
        if dribbles:
            connection.send(b"x")
        received = connection.recv(1 if reads_slowly else 4096, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return received != b""


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
