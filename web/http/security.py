"""Checks and headers for every request and response: allowed hosts, room for large bodies, security headers.

The content policy allows no inline script or style and nothing from other sites, so HTML in a file name stays text.
"""

import ipaddress
import socket

import structlog
from apiflask import APIFlask
from flask import Response, request

from core.base.config import Settings
from core.base.errors import Busy
from web.http.problems import problem

log = structlog.get_logger("web")

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
    def refuse_beyond_places() -> None:
        if getattr(request.environ.get("gunicorn.socket"), "is_refused", False):  # web.server.worker
            raise Busy("This server is receiving too many uploads at the moment. Try again in a few seconds.")

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if is_trusted_origin():
            response.headers.extend(HEADERS_FOR_TRUSTED)
        return response


def is_trusted_origin() -> bool:
    """Whether browsers trust the origin of this request: HTTPS, or this machine."""
    return request.is_secure or _is_loopback(host_name(request.environ.get("HTTP_HOST", "")))


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
