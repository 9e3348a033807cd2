"""Refusals below the application, and the end of connections whose body was refused."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from web.server.client_address import Wsgi


def make_refusal(status: int, sentence: str) -> bytes:
    """A whole response with problem details, for requests that no application has seen."""
    title = HTTPStatus(status).phrase
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": sentence}).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\n\r\n"
    )
    return head.encode() + body


def closing_after_refusal(app: Wsgi) -> Wsgi:
    """The application, announcing `Connection: close` where it does not want a body that is still arriving.

    What the client goes on sending is discarded, and must not be taken for its next request.
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        connection = environ["gunicorn.socket"]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if status >= "300" and (connection.is_streaming or connection.is_refused):
                start_response.__self__.force_close()
            return start_response(status, headers, exc_info)

        return app(environ, start)

    return call
