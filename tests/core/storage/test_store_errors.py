"""A store that cannot be reached, each with a real listener, or none: which setting is wrong, and what to do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.base.errors import ConfigError, Refused, Unavailable
from core.storage import buckets
from core.storage.blobs import Blobs
from tests.support.tiny_server import Answer, tiny_server

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class Busy(BaseHTTPRequestHandler):
    """Answers that it cannot answer."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening() -> Iterator[int]:
    """The port of a server without TLS that is too busy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(autouse=True)
def _keys_and_no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "tests")
    monkeypatch.setattr(buckets, "RETRIES", {"max_retries": 0, "retry_timeout": timedelta(seconds=1)})


def ask(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    Blobs("s3://tests/data").ping()


@pytest.mark.parametrize("endpoint", ["nonsense", "s3:8333", "http://", "http://s3:port", "ftp://s3"])
def test_an_endpoint_that_is_no_address_is_a_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"AWS_ENDPOINT_URL: expected http://host:port .* got '{endpoint}'"):
        ask(monkeypatch, endpoint)


def test_an_empty_endpoint_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of Amazon's own is made from the region then; here nobody has that name."""
    monkeypatch.setenv("AWS_REGION", "nowhere")
    monkeypatch.setattr(buckets, "CLIENT", {**buckets.CLIENT, "proxy_url": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable, match=r"https://s3\.nowhere\.amazonaws\.com"):
        ask(monkeypatch, "")


def test_a_store_without_tls_that_is_asked_for_it_is_a_wrong_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as port, pytest.raises(Refused, match=r"AWS_ENDPOINT_URL: .* must begin with http://"):
        ask(monkeypatch, f"https://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [("http://127.0.0.1:9", "no server listens there"), ("http://nowhere.invalid", "no host of this name")],
)
def test_a_store_that_is_away_is_waited_for_and_the_sentence_says_why(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, cause: str
) -> None:
    with pytest.raises(Unavailable, match=f"{cause}; {endpoint}.*AWS_ENDPOINT_URL") as caught:
        ask(monkeypatch, endpoint)
    assert not isinstance(caught.value, Refused)


def test_a_store_that_is_too_busy_says_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as port, pytest.raises(Unavailable, match="503 Service Unavailable") as caught:
        ask(monkeypatch, f"http://127.0.0.1:{port}")
    assert not isinstance(caught.value, Refused)


def test_a_clock_that_is_wrong_is_not_taken_for_wrong_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"
    with tiny_server(Answer(403, body)) as (address, _), pytest.raises(Refused, match="Set both clocks"):
        ask(monkeypatch, address)
