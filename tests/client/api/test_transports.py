"""Both transports retry, refuse and read alike."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from pawsort.api import async_transport
from pawsort.api.async_transport import AsyncTransport
from pawsort.api.calls import Call, Flow, NextEvent, Subscription, ask, collect, pages
from pawsort.api.connection import Connection
from pawsort.api.errors import (
    ClientError,
    Conflict,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RequestFailed,
    ServerBusy,
    TooLarge,
)
from pawsort.api.retries import Attempts, Retries
from pawsort.api.transport import Transport
from pawsort.schemas import Usage
from tests.support.tiny_server import CUT, Answer, tiny_server


@dataclass(frozen=True)
class Thing:
    n: int
    note: str | None


def run(kind: str, address: str, work: Any) -> Any:
    """Perform some work with one of the transports."""
    connection, retries = Connection(address), Retries(1.0, 0.01, 0.02)
    if kind == "sync":
        transport = Transport(connection, retries)
        try:
            return transport.run(work)
        finally:
            transport.close()

    async def use() -> Any:
        transport = AsyncTransport(connection, retries)
        try:
            return await transport.run(work)
        finally:
            await transport.close()

    return asyncio.run(use())


BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


@BOTH
def test_a_call_is_repeated_and_its_answer_read_as_its_type(kind: str) -> None:
    answers = (Answer(CUT), Answer(503), Answer(200, {"n": 1, "unknown": 2}))
    with tiny_server(*answers) as (address, asked):
        assert run(kind, address, Call(Thing, "GET", "/things/1", {"a": True, "b": None})) == Thing(1, None)
    assert {one.path for one in asked} == {"/api/v1/things/1?a=1"}
    assert len(asked) == 3


@BOTH
def test_a_list_is_followed_to_its_end_within_a_workflow(kind: str) -> None:
    answers = (Answer(body={"items": [{"n": 1}], "next": "c"}), Answer(body={"items": [{"n": 2}], "next": None}))
    with tiny_server(*answers) as (address, _):
        assert run(kind, address, collect(pages(Thing, "/things"))) == [Thing(1, None), Thing(2, None)]


@BOTH
def test_a_workflow_catches_the_error_of_a_call(kind: str) -> None:
    def work() -> Flow[str]:
        try:
            yield from ask(Call(Thing, "GET", "/things/1"))
        except NotFound as error:
            return error.message
        return ""

    with tiny_server(Answer(404, {"detail": "It is gone."})) as (address, _):
        assert run(kind, address, work()) == "It is gone. (HTTP 404)"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, NotAuthenticated),
        (403, NotAllowed),
        (404, NotFound),
        (409, Conflict),
        (410, NotFound),
        (413, TooLarge),
        (503, ServerBusy),
        (507, RequestFailed),
    ],
)
def test_each_refusal_has_its_error(status: int, error: type[RequestFailed]) -> None:
    with tiny_server(Answer(status)) as (address, _), pytest.raises(RequestFailed) as caught:
        run("sync", address, Call(Thing, "GET", "/things/1"))
    assert type(caught.value) is error


def test_closing_one_client_does_not_end_the_retries_of_another_with_the_same_limits() -> None:
    retries = Retries(5.0, 0.01, 0.02)
    with tiny_server(Answer(503), Answer(200, {"n": 1})) as (address, _):
        first, second = (Transport(Connection(address), retries) for _ in range(2))
        first.close()
        assert second.run(Call(Thing, "GET", "/things/1")) == Thing(1, None)
        second.close()


@pytest.mark.parametrize("header", ["nan", "inf", "-inf", "1e999", "soon"])
def test_a_pause_that_is_no_number_of_seconds_is_not_waited_for(header: str) -> None:
    attempts = Attempts(Retries(1.0, 0.01, 0.02))
    attempts.note_refusal(httpx2.Response(503, headers={"Retry-After": header}))
    assert 0 < attempts.pause_s() < 1


class OneEvent(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A stream that ends after one event, or breaks."""

    def __init__(self, n: int, is_cut: bool) -> None:
        self._n, self._is_cut = n, is_cut

    def __iter__(self) -> Iterator[bytes]:
        yield f'data: {{"n": {self._n}, "note": null}}\n\n'.encode()
        if self._is_cut:
            raise httpx2.ReadError("cut")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self:
            yield block


def one_event_each(is_cut: bool) -> Callable[[httpx2.Request], httpx2.Response]:
    """A server whose streams have one event each."""
    numbers = iter((1, 2))

    def answer(_: httpx2.Request) -> httpx2.Response:
        headers = {"Content-Type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=OneEvent(next(numbers), is_cut))

    return answer


@BOTH
@pytest.mark.parametrize("is_cut", [False, True], ids=["ended", "cut"])
def test_a_stream_is_opened_again_after_a_pause(kind: str, is_cut: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, retries, pauses = Connection("http://127.0.0.1"), Retries(1.0, 0.01, 0.02), list[float]()
    things = Subscription(Thing, "/things", lambda thing: thing.n == 2)
    served = httpx2.MockTransport(one_event_each(is_cut))
    if kind == "sync":
        transport = Transport(connection, retries)
        transport.http = httpx2.Client(**connection.options, transport=served)
        monkeypatch.setattr(transport.retries.stopped, "wait", pauses.append)
        assert [thing.n for thing in transport.iterate(things)] == [1, 2]
        transport.close()
    else:

        async def note(seconds: float) -> None:
            pauses.append(seconds)

        async def read() -> list[int]:
            transport = AsyncTransport(connection, retries)
            transport.http = httpx2.AsyncClient(**connection.options, transport=served)
            found = [thing.n async for thing in transport.iterate(things)]
            await transport.close()
            return found

        monkeypatch.setattr(async_transport, "_sleep", note)
        assert asyncio.run(read()) == [1, 2]
    assert pauses == [retries.first_pause_s]


@BOTH
def test_a_workflow_hears_events_over_one_connection_and_is_told_when_it_ends(kind: str) -> None:
    events = "".join(f'data: {{"n": {n}}}\n\n: still here\n\n' for n in (1, 2))
    stream = Answer(200, events.encode(), {"Content-Type": "text/event-stream"})

    def work() -> Flow[list[int | str]]:
        things, heard = Subscription(Thing, "/things", lambda _: False), list[int | str]()
        for _ in range(3):
            try:
                heard.append((yield NextEvent(things)).n)
            except ClientError as error:
                heard.append(error.message)
        return heard

    with tiny_server(stream) as (address, asked):
        assert run(kind, address, work()) == [1, 2, "The stream of events has ended."]
    assert len(asked) == 1


@BOTH
def test_a_server_without_events_says_so_at_once(kind: str) -> None:
    def work() -> Flow[str]:
        try:
            yield NextEvent(Subscription(Thing, "/things", lambda _: False))
        except ClientError as error:
            return error.message
        return ""

    with tiny_server(Answer(429, {"detail": "Too many streams."})) as (address, asked):
        assert run(kind, address, work()) == "Too many streams. (HTTP 429)"
    assert len(asked) == 1


def test_an_answer_keeps_what_this_client_does_not_know() -> None:
    sent = {"n_bytes": 5, "colour": "red"}
    with tiny_server(Answer(200, sent)) as (address, _):
        answer = run("sync", address, Call(Usage, "GET", "/account/usage"))
    assert (answer.n_bytes, answer.json) == (5, sent)


@pytest.mark.parametrize("token", ["secret\n", "secr\u00e9t", "secret\r\nX: y"])
def test_a_token_that_cannot_be_one_is_not_quoted(token: str) -> None:
    with pytest.raises(ClientError, match="no token has") as refused:
        Connection("https://example.org", token)
    assert "secr" not in refused.value.message


def test_a_password_in_the_address_is_refused_and_not_quoted() -> None:
    with pytest.raises(ClientError, match="holds a name or a password") as refused:
        Connection("https://ada:secret@example.org")
    assert "secret" not in refused.value.message


def test_a_connection_shows_no_token_in_logs() -> None:
    assert "secret" not in repr(Connection("https://example.org", "secret"))
