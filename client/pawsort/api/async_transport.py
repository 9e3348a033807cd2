"""Performs calls and workflows for programs with asyncio (or Trio): sends, retries, waits."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

import httpx2

from pawsort.api.calls import Call, Effect, Flow, Item, NextEvent, Pause, Received, Stream, Subscription, step
from pawsort.api.connection import READ_BYTES, Connection, answer_of, received_of, request_of
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError
from pawsort.api.retries import Attempts, Retries, explain_break, is_success
from pawsort.api.transport import SILENCE_S

T = TypeVar("T")

# Streams of events that a workflow listens to.
Heard: TypeAlias = dict[Subscription[Any], AsyncGenerator[Any]]


class AsyncTransport:
    """One server, one token."""

    def __init__(self, connection: Connection, retries: Retries | None = None) -> None:
        self.connection = connection
        self.retries = retries or Retries()
        self.http = httpx2.AsyncClient(**connection.options)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def run(self, work: Call[T] | Flow[T]) -> T:
        """Perform a call, or a workflow to its end."""
        if isinstance(work, Call):
            answer: T = await self._perform(work)
            return answer
        heard: Heard = {}
        try:
            effect = next(work)
            while True:
                effect = step(work, await self._outcome(effect, heard))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            await _close(heard)

    async def iterate(self, stream: Stream[T] | Subscription[T]) -> AsyncIterator[T]:
        """Perform a workflow, and iterate over its items; or iterate over events."""
        if isinstance(stream, Subscription):
            async for event in self._subscribe(stream):
                yield event
            return
        heard: Heard = {}
        try:
            effect = next(stream)
            while True:
                if isinstance(effect, Item):
                    yield effect.value
                    effect = next(stream)
                else:
                    effect = step(stream, await self._outcome(effect, heard))
        except StopIteration:
            return
        finally:
            stream.close()
            await _close(heard)

    @asynccontextmanager
    async def download(self, call: Call[bytes]) -> AsyncIterator[Received[AsyncIterator[bytes]]]:
        """Open a file as a stream of bytes.

        Raises:
            ClientError: While it is read: the server ended it before its end.
        """
        async with self._open(call) as response:
            yield received_of(response, response.aiter_bytes(READ_BYTES))

    async def _outcome(self, effect: Effect, heard: Heard) -> Any:
        """Do what a workflow wants; return the answer, or the error."""
        try:
            if isinstance(effect, NextEvent):
                return await self._hear(effect.subscription, heard)
            return await self._perform(effect)
        except ClientError as error:
            return error

    async def _perform(self, effect: Call[Any] | Pause) -> Any:
        if isinstance(effect, Pause):
            return await _sleep(effect.seconds)
        request = request_of(effect)
        if effect.target is None:
            attempts = Attempts(self.retries, effect.is_idempotent)
            return answer_of(effect, await _retry(attempts, lambda: self.http.request(**request)))
        async with self._open(effect) as response:
            async for block in response.aiter_bytes(READ_BYTES):
                effect.target.write(block)
        return None

    async def _hear(self, subscription: Subscription[T], heard: Heard) -> T:
        """Wait for the next event.

        Raises:
            ClientError: The stream has ended, or there is none.
        """
        if subscription not in heard:
            heard[subscription] = self._listen(subscription, replace(self.retries, give_up_after_s=0.0))
        async for event in heard[subscription]:
            found: T = event
            return found
        del heard[subscription]
        raise ClientError("The stream of events has ended.")

    async def _subscribe(self, subscription: Subscription[T]) -> AsyncIterator[T]:
        event: T | None = None
        while True:
            async for event in self._listen(subscription, self.retries):
                yield event
            if event is not None and subscription.is_last(event):
                return
            await _sleep(self.retries.first_pause_s)  # a server may end every stream at once

    async def _listen(self, subscription: Subscription[T], retries: Retries) -> AsyncGenerator[T]:
        """Iterate over the events of one connection, until it ends or breaks."""
        call = Call(bytes, "GET", subscription.path, silence_s=SILENCE_S)
        async with self._open(call, retries) as response:
            with suppress(httpx2.TransportError):
                async for received in httpx2.EventSource(response):
                    if received.data:  # else it is a sign of life
                        yield decode(subscription.event, received.json())

    @asynccontextmanager
    async def _open(self, call: Call[Any], retries: Retries | None = None) -> AsyncIterator[httpx2.Response]:
        request = self.http.build_request(**request_of(call))
        response = await _retry(Attempts(retries or self.retries), lambda: self.http.send(request, stream=True))
        try:
            yield response
        except httpx2.TransportError as error:
            raise explain_break(error, self.connection.server) from error
        finally:
            await response.aclose()


async def _retry(attempts: Attempts, send: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """Send until the server gives a final answer."""
    while True:
        try:
            response = await send()
        except httpx2.TransportError as error:
            attempts.note_failure(error)
        else:
            if is_success(response):
                return response
            await response.aread()
            attempts.note_refusal(response)
        await _sleep(attempts.pause_s())


async def _close(heard: Heard) -> None:
    for stream in heard.values():
        await stream.aclose()


async def _sleep(seconds: float) -> None:
    import anyio  # only programs with an event loop need it

    await anyio.sleep(seconds)
