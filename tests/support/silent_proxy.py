"""A proxy in front of a server whose connections can go silent: they stay open, and nothing comes through any more."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

BLOCK = 2**16


class SilentProxy:
    """Forwards bytes between clients and a server, until it is told to go silent.

    Args:
        connect: Opens a connection to the server.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._silent: list[threading.Event] = []
        self._sockets: list[socket.socket] = []

    @property
    def port(self) -> int:
        port: int = self._listening.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listening, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def go_silent(self) -> int:
        """Forward nothing more on the connections that are open; new ones work. Returns how many there are."""
        for silent in self._silent:
            silent.set()
        return len(self._silent)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            server, silent = self._connect(), threading.Event()
            self._silent.append(silent)
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_forward, args=(source, target, silent), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket, silent: threading.Event) -> None:
    with suppress(OSError):
        while block := source.recv(BLOCK):
            if not silent.is_set():
                target.sendall(block)
        if not silent.is_set():
            target.shutdown(socket.SHUT_WR)


def connect_to_address(url: str) -> socket.socket:
    """A connection to a server at an address such as http://127.0.0.1:9000."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 80))


def connect_to_socket(path: str) -> socket.socket:
    """A connection to a server that listens on a socket file."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection
