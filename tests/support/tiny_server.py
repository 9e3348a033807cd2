"""A real HTTP server that answers as a test says, one answer after another, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = -1  # the connection is cut instead of an answer


@dataclass
class Answer:
    """A status (or CUT), a body (bytes as they are, all else as JSON) and headers, after some seconds.

    Attributes:
        n_missing: Bytes that are promised and never come.
    """

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    n_missing: int = 0


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers: Sequence[Answer], keeps_open: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keeps_open = keeps_open
        self.answers = list(answers)
        self.asked: list[Asked] = []
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        asked = Asked(self.command, self.path, dict(self.headers), self._body())
        with self.server.lock:
            self.server.asked.append(asked)
            answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        time.sleep(answer.after_s)
        self.close_connection = not self.server.keeps_open or answer.status == CUT
        if answer.status == CUT:
            return
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        body = b"" if answer.status == 304 else body
        connection = "close" if self.close_connection else "keep-alive"
        self.send_response(answer.status)
        length = str(len(body) + answer.n_missing)
        for name, value in {**answer.headers, "Content-Length": length, "Connection": connection}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            blocks = []
            while size := int(self.rfile.readline(), 16):
                blocks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(blocks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def tiny_server(*answers: Answer, keeps_open: bool = False) -> Iterator[tuple[str, list[Asked]]]:
    """Serve these answers, the last one for ever; gives the address and the list of what was asked.

    Args:
        keeps_open: Connections stay open for further requests.
    """
    server = _Server(answers, keeps_open)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
