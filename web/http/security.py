"""Checks and headers for every request and response: allowed hosts, timeouts, security headers, draining.

The content policy allows no inline script or style and nothing from other sites, so HTML in a file name stays text.
"""

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import BinaryIO, cast

import structlog
from apiflask import APIFlask
from flask import Response, request

from core.base.config import Settings
from web.http.problems import problem

log = structlog.get_logger("web")

TIMEOUT_S = 120
DRAIN_BYTES = 256 * 2**20
DRAIN_S = 10.0
DRAIN_STEP = 2**16

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Browsers apply these only to trusted origins, and log a warning elsewhere.
HEADERS_FOR_TRUSTED = {"Cross-Origin-Opener-Policy": "same-origin"}


def register_security(app: APIFlask, settings: Settings) -> None:
    """Add the checks before every view and the headers after it."""
    hosts = allowed_hosts(settings)
    any_address = settings.host in ("0.0.0.0", "::")  # noqa: S104

    @app.before_request
    def check_host() -> Response | None:
        name = host_name(request.environ.get("HTTP_HOST", ""))
        if name in hosts or (any_address and _is_address(name)):
            return None
        log.warning("host_refused", host=name, remedy="add the name to PAWSORT_ALLOWED_HOSTS and restart")
        return problem(
            400,
            f"This server does not accept the host name {name!r}. Use one of {', '.join(sorted(hosts))}, or ask the"
            " person who runs this server to allow this name.",
        )

    @app.before_request
    def set_timeout() -> None:
        # Otherwise a client that stops sending would occupy its thread for ever.
        connection = request.environ.get("gunicorn.socket")
        if connection is not None:
            connection.settimeout(TIMEOUT_S)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure or _is_loopback(host_name(request.environ.get("HTTP_HOST", ""))):
            response.headers.extend(HEADERS_FOR_TRUSTED)
        if response.status_code >= 400 and _has_body():
            response.call_on_close(_drainer())
        return response


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """The host names that this server accepts, in lower case, without ports."""
    own = socket.gethostname()
    listed = [name.strip() for name in settings.allowed_hosts.split(",")]
    names = ["localhost", "127.0.0.1", "[::1]", settings.host, own, own.partition(".")[0], *listed]
    return frozenset(host_name(name) for name in names if name)


def host_name(header: str) -> str:
    """The name in a Host header, in lower case, without the port; an IPv6 address is in brackets."""
    value = header.strip().lower()
    if value.startswith("["):
        return value.partition("]")[0] + "]"
    if value.count(":") > 1:
        return f"[{value}]"
    return value.partition(":")[0].rstrip(".")


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name.strip("[]")).is_loopback)


def _is_address(name: str) -> bool:
    # DNS rebinding needs a name: a client that sends an IP address has really connected to that address.
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _has_body() -> bool:
    return bool(request.content_length) or "chunked" in request.headers.get("Transfer-Encoding", "").lower()


def _drainer() -> Callable[[], None]:
    """A function that reads the rest of the body after the response was sent, within limits of bytes and time.

    Closing a connection with unread bytes resets it, and a client that is still sending would see the reset instead of
    the response.
    """
    body = cast(BinaryIO, request.environ["wsgi.input"])
    connection = request.environ.get("gunicorn.socket")

    def drain() -> None:
        if connection is None:
            return
        end = time.monotonic() + DRAIN_S
        left = DRAIN_BYTES
        try:
            while left > 0 and time.monotonic() < end:
                connection.settimeout(max(end - time.monotonic(), 0.1))
                n_read = len(body.read(DRAIN_STEP))
                if n_read == 0:
                    return
                left -= n_read
        except (OSError, ValueError):
            return

    return drain
