"""The web application on a port of this machine, for tests that need no worker."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from web.app import App

# How soon a server notices that it shall stop.
NOTICED_S = 0.02
_static: dict[tuple[str, str], tuple[str, list[tuple[str, str]], list[bytes]]] = {}


class _Quiet(WSGIRequestHandler):
    # As gunicorn: connections stay open, and a body's end is found by its length.
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the tests say what went wrong."""


def _for_tests(app: App) -> Any:
    """The same app, its answers read whole: this server forgets to close a file when a page leaves in the middle.

    Its scripts and styles, which no test changes, are made once for each encoding that a browser reads.
    """

    def call(environ: Any, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        wanted = (path, environ.get("HTTP_ACCEPT_ENCODING", ""))
        if wanted in _static:
            start_response(*_static[wanted][:2])
            return _static[wanted][2]
        said: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *given: Any) -> Any:
            said[:] = [status, headers]
            return start_response(status, headers, *given)

        answer: Any = app(environ, start)
        with closing(answer) if hasattr(answer, "close") else nullcontext():
            body = [b"".join(answer)]
        if path.startswith("/static/") and said[0] == "200 OK":
            _static[wanted] = (said[0], said[1], body)
        return body

    return call


def own_address() -> str | None:
    """An address of this machine by which others reach it; None when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        is_lost = asking.connect_ex(("192.0.2.1", 9))  # sends nothing: it only chooses a way
        return None if is_lost else str(asking.getsockname()[0])


@contextmanager
def served(app: App, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve the application; gives its address."""
    server = make_server(host, 0, _for_tests(app), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(NOTICED_S,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
