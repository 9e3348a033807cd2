"""Python imports this at its start where its folder is in PYTHONPATH: it notes every address that a process uses."""

import os
import sys

_LOG = os.open(os.environ["PAWSORT_TEST_CONNECTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_OF_SOCKET = ("socket.connect", "socket.sendto", "socket.sendmsg")
_OF_NAME = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def _note(event: str, values: tuple[object, ...]) -> None:
    if event in _OF_SOCKET:
        address = values[1]
        os.write(_LOG, f"{address[0] if isinstance(address, tuple) else 'a socket in a folder'}\n".encode())
    elif event in _OF_NAME:
        os.write(_LOG, f"{values[0]}\n".encode())


sys.addaudithook(_note)
