"""The address of the client behind a proxy."""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def with_client_address(app: Wsgi, is_proxy: Callable[[str], bool]) -> Wsgi:
    """The application, with the address that a proxy has seen as REMOTE_ADDR.

    Args:
        is_proxy: Whether the headers of this address are trusted (FORWARDED_ALLOW_IPS).
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _, _, last = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")
        if last and is_proxy(environ["REMOTE_ADDR"]) and _is_address(last.strip()):
            environ["REMOTE_ADDR"] = last.strip()
        return app(environ, start_response)

    return call


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
