"""A store that is full, as stores of several makes say it over HTTP; the request and the answer are real."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from obstore.exceptions import GenericError

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


@pytest.mark.parametrize("reason", ["No space left on device (os error 28)", "Disk quota exceeded (os error 122)"])
def test_a_full_folder_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    def put(*_: object, **__: object) -> None:
        raise GenericError(f"Generic LocalFileSystem error: Unable to copy data to file: {reason}")

    blobs = Blobs(tmp_path.as_uri())
    monkeypatch.setattr(blobs, "_writing", SimpleNamespace(put=put))
    with pytest.raises(DiskFull, match="disk is full, or its quota or number of files"):
        blobs.put("uploads/1", b"x")
