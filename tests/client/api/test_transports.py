"""Both transports retry, refuse and read alike."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from pawsort.api.async_transport import AsyncTransport
from pawsort.api.calls import Call, Flow, ask, collect, pages
from pawsort.api.connection import Connection
from pawsort.api.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, RequestFailed, ServerBusy, TooLarge
from pawsort.api.retries import Retries
from pawsort.api.transport import Transport
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
