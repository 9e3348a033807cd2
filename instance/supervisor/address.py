"""The listening socket of the web server, and whether it answers yet."""

import errno
import http.client
import socket

from pawsort.api.errors import ClientError

PORTS_TRIED = 100
ANSWER_S = 1.0
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound


def listen(host: str, port: int, explicit: bool) -> socket.socket:
    """Open the listening socket.

    Args:
        explicit: The user asked for exactly this port. Otherwise the next free one is used.
    Raises:
        ClientError: The port is in use, or this machine does not have the address.
    """
    tries = 1 if explicit else PORTS_TRIED
    for candidate in range(port, min(port + tries, 65536)):
        try:
            return _bind(host, candidate)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES) and not explicit:
                continue
            raise ClientError(_explain(host, candidate, error)) from error
    raise ClientError(f"No free port from {port} to {port + tries - 1} on {host}. Give one with --port, or 0 for any.")


def url(listening: socket.socket, host: str) -> str:
    """Return the address to open on this machine."""
    shown = EVERY_ADDRESS.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listening.getsockname()[1]}"


def login_link(page: str, code: str) -> str:
    """Return the address that logs in with a one-time code, after a press on its button."""
    return f"{page}/login?code={code}"


def answers(listening: socket.socket, host: str) -> bool:
    """Return whether the page answers. Waits one second at most."""
    connection = http.client.HTTPConnection(EVERY_ADDRESS.get(host, host), listening.getsockname()[1], timeout=ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use by another program. Give another with --port, or 0 for any."
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}. Check --host and --port."
