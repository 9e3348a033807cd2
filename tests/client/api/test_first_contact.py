"""A wrong address is said at once, with what to do: no server, no name, no TLS, a proxy, a server of something else."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pawsort.api import first_contact
from pawsort.api.connection import Connection
from pawsort.api.errors import Unreachable
from pawsort.api.transport import Transport
from tests.support.tiny_server import CUT, Answer, tiny_server


@contextmanager
def silent_server() -> Iterator[str]:
    """Something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def sentence_about(server: str) -> str:
    with closing(Transport(Connection(server))) as transport, pytest.raises(Unreachable) as caught:
        transport.greet()
    return caught.value.message


def test_a_pawsort_server_is_known_by_its_answer() -> None:
    busy = Answer(503)
    refusing = Answer(400, {"detail": "This host is not allowed."})
    for answer in (Answer(200, {"status": "ok"}), busy, refusing):
        with tiny_server(answer) as (address, _), closing(Transport(Connection(address))) as transport:
            assert transport.greet()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, "hello"), "is no Pawsort server (HTTP 200). Check the address and the port."),
        (Answer(404, {}), "is no Pawsort server (HTTP 404)."),
        (Answer(301, {}, {"Location": "https://cats.example/healthz"}), "redirects to https://cats.example. Use that"),
        (Answer(CUT), "answers, but not as Pawsort does"),
    ],
)
def test_a_server_of_something_else_is_told_apart(answer: Answer, words: str) -> None:
    with tiny_server(answer) as (address, asked):
        assert words in sentence_about(address)
    assert len(asked) == 1, "nothing is retried"


def test_a_port_where_nothing_listens_is_named() -> None:
    assert "Nothing answers at http://127.0.0.1:9" in sentence_about("http://127.0.0.1:9")


def test_a_name_that_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert sentence_about("http://cats.example") == (
        "There is no server named cats.example. Check the address, and the network."
    )


def test_a_server_without_tls_is_named() -> None:
    with tiny_server(Answer()) as (address, _):
        said = sentence_about(address.replace("http:", "https:"))
    assert "does not speak TLS as expected" in said
    assert "http://" in said


def test_a_proxy_that_does_not_connect_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    said = sentence_about("http://cats.example")
    assert said.startswith("The proxy http://127.0.0.1:9 did not connect to http://cats.example")
    assert "NO_PROXY" in said


def test_a_server_that_takes_its_time_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_contact, "ANSWER_S", 0.05)
    with silent_server() as address, closing(Transport(Connection(address))) as transport:
        assert not transport.greet()
