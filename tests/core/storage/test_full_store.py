"""A store that is full, as stores of several makes say it over HTTP; the request and the answer are real."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.base.errors import DiskFull
from core.storage.blobs import Blobs

ANSWERS = {
    "507 without a body": (507, b""),
    "the error of MinIO": (507, b"<Error><Code>XMinioStorageFull</Code><Message>no space left</Message></Error>"),
    "a quota": (403, b"<Error><Code>QuotaExceeded</Code><Message>Bucket quota exceeded</Message></Error>"),
}


@pytest.fixture(params=ANSWERS)
def full_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Blobs]:
    status, body = ANSWERS[request.param]

    class Full(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Full)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    yield Blobs("s3://bucket")
    server.shutdown()
    server.server_close()


def test_a_full_store_is_named_with_what_to_do(full_store: Blobs) -> None:
    with pytest.raises(DiskFull, match="The blob store is full"):
        full_store.put("uploads/1", b"x" * 1000)
