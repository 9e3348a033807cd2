"""One POST: what is sent, what is read of the answer, and what never happens."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.webhooks import posting
from core.webhooks.posting import READ_BYTES, Answer, post
from core.webhooks.targets import Allowlist, check_url
from tests.support import tiny_server as servers
from tests.support.certificates import make_certificate
from tests.support.ports import free_port
from tests.support.tiny_server import tiny_server

PAUSE_S = 0.01
HERE = Allowlist(frozenset(("127.0.0.1", "localhost")))


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A certificate for localhost that nobody has signed."""
    key, chain = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def send(url: str, limit_s: float = 15.0) -> Answer:
    return post(check_url(url, HERE), {"webhook-id": "msg_1"}, b'{"a":1}', HERE, limit_s)


def test_the_answer_has_status_time_and_the_beginning_of_the_body() -> None:
    with tiny_server(servers.Answer(202, "taken")) as (url, asked):
        answer = send(f"{url}/hook?x=1")
    assert (answer.status, answer.text, answer.error) == (202, '"taken"', None)
    assert answer.is_good
    assert (asked[0].method, asked[0].path, asked[0].body) == ("POST", "/hook?x=1", b'{"a":1}')
    assert asked[0].headers["webhook-id"] == "msg_1"


def test_a_redirect_is_not_followed() -> None:
    with (
        tiny_server(servers.Answer(200)) as (elsewhere, asked_there),
        tiny_server(servers.Answer(307, headers={"Location": elsewhere})) as (url, _),
    ):
        answer = send(url)
    assert (answer.status, answer.is_good, asked_there) == (307, False, [])


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with tiny_server(servers.Answer(200)) as (url, asked), tiny_server(servers.Answer(200)) as (proxy, asked_there):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        assert send(url).is_good
    assert (len(asked), asked_there) == (1, [])


def test_little_of_a_large_answer_is_kept_and_nothing_that_could_forge_a_line() -> None:
    with tiny_server(servers.Answer(500, "é\n\0" * READ_BYTES)) as (url, _):
        answer = send(url)
    assert len(answer.text) <= posting.KEPT_CHARACTERS
    assert answer.text.isprintable()


@pytest.mark.parametrize(("header", "expected_s"), [("120", 120.0), ("soon", None), ("-5", None), ("9" * 400, None)])
def test_retry_after_is_read_where_it_makes_sense(header: str, expected_s: float | None) -> None:
    with tiny_server(servers.Answer(503, headers={"Retry-After": header})) as (url, _):
        assert send(url).retry_after_s == expected_s


def test_a_date_in_retry_after_counts_from_now() -> None:
    with tiny_server(servers.Answer(503, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"})) as (url, _):
        assert send(url).retry_after_s == 0.0


def test_a_connection_that_is_cut_is_an_error_in_words() -> None:
    with tiny_server(servers.Answer(servers.CUT)) as (url, _):
        answer = send(url)
    assert answer.status is None
    assert answer.error == "The host did not answer in HTTP."


def test_nobody_there_is_an_error_in_words() -> None:
    assert "cannot be reached" in (send(f"http://127.0.0.1:{free_port()}/").error or "")


@contextmanager
def dripping(data: bytes) -> Iterator[int]:
    """A server that sends the same bytes again and again; gives its port."""
    ended = threading.Event()

    def serve(listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except OSError:  # nobody has come
            return
        with connection:
            while not ended.wait(PAUSE_S):
                try:
                    connection.sendall(data)
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "https://localhost:{port}/"])
def test_a_server_that_drips_is_given_up_at_the_limit(url: str) -> None:
    with dripping(b"\x16" if url.startswith("https") else b"HTTP/1.1 200 OK\r\nX-A: b\r\n"[:1]) as port:
        answer = send(url.format(port=port), limit_s=0.3)
    assert answer.status is None
    assert answer.error


def test_a_certificate_that_nobody_trusts_is_refused(certificate: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve() -> None:
            connection, _ = listening.accept()
            try:
                certificate.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        answer = send(f"https://localhost:{port}/")
        thread.join()
    assert answer.error == "The certificate of the host is not trusted: self-signed certificate."
