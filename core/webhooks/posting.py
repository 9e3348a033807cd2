"""One POST to somebody else's server: on a checked address, within a time limit, trusting nothing of the answer.

No redirect is followed, no proxy of the environment is used, and of the answer only the beginning is read.
"""

import http.client
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.webhooks.targets import Allowlist, SocketAddress, Target, TargetRefused, resolve

LIMIT_S = 15.0
READ_BYTES = 4096
KEPT_CHARACTERS = 1000


@dataclass(frozen=True)
class Answer:
    """What came of an attempt.

    Attributes:
        status: Of HTTP; None if there was no answer.
        error: Why there was none.
        text: The beginning of the answer's body.
        retry_after_s: How long the receiver asks to wait.
    """

    duration_s: float
    status: int | None = None
    error: str | None = None
    text: str = ""
    retry_after_s: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


def post(
    target: Target, headers: Mapping[str, str], body: bytes, allowlist: Allowlist, limit_s: float = LIMIT_S
) -> Answer:
    """Send one message, whatever happens.

    Args:
        limit_s: For everything after the name was looked up.
    """
    began = time.monotonic()

    def failed(reason: str) -> Answer:
        return Answer(time.monotonic() - began, error=reason)

    try:
        addresses = resolve(target, allowlist)
    except TargetRefused as error:
        return failed(error.message.removeprefix("url: "))
    except (OSError, UnicodeError):
        return failed("The name of the host cannot be looked up.")
    deadline = time.monotonic() + limit_s
    try:
        with _connected(target, addresses, deadline) as connection:
            connection.request("POST", target.path, body=body, headers=dict(headers))
            return _read_answer(connection.getresponse(), began)
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= deadline:
            return failed(f"There was no complete answer within {limit_s:g} s.")
        return failed(_explain(error))


@contextmanager
def _connected(target: Target, addresses: list[SocketAddress], deadline: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to the first address that answers, cut off at the deadline whatever the other side does."""
    make = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
    connection = make(target.host, target.port)
    sock = _open_socket(addresses, deadline)
    if target.scheme == "https":
        context = ssl.create_default_context()
        sock = context.wrap_socket(sock, server_hostname=target.host, do_handshake_on_connect=False)
    cut = threading.Timer(max(deadline - time.monotonic(), 0.0), _cut_off, [sock])
    cut.daemon = True
    cut.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection.sock = sock
        yield connection
    finally:
        cut.cancel()
        connection.close()
        sock.close()


def _open_socket(addresses: list[SocketAddress], deadline: float) -> socket.socket:
    error: OSError = TimeoutError()
    for one in addresses:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            break
        sock = socket.socket(one.family, socket.SOCK_STREAM)
        sock.settimeout(left_s)
        try:
            sock.connect(one.address)
        except OSError as reason:
            sock.close()
            error = reason
        else:
            return sock
    raise error


def _cut_off(sock: socket.socket) -> None:
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, whose own shutdown would wait
    except OSError:
        return  # it is closed already


def _read_answer(response: http.client.HTTPResponse, began: float) -> Answer:
    try:
        text = response.read(READ_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):  # the status has come, and counts
        text = ""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return Answer(
        time.monotonic() - began,
        status=response.status,
        text=printable.strip()[:KEPT_CHARACTERS],
        retry_after_s=_retry_after(response.headers.get("Retry-After")),
    )


def _retry_after(header: str | None) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3); None if it is neither."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdecimal() else _seconds_until(header)
    except (ValueError, OverflowError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of the host is not trusted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "The host does not speak TLS as expected."
    if isinstance(error, http.client.HTTPException):
        return "The host did not answer in HTTP."
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "the connection ended"
    return f"The host cannot be reached ({reason})."
