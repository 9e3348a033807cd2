"""Performs calls and workflows for programs with asyncio (or Trio): sends, retries, waits."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import httpx2

from pawsort.api.calls import Call, Flow, Item, Pause, Stream, Subscription, step
from pawsort.api.connection import READ_BYTES, Connection, answer_of, request_of
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError
from pawsort.api.retries import Attempts, Retries, explain_break, explain_failure, is_success

T = TypeVar("T")


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
        try:
            effect = next(work)
            while True:
                effect = step(work, await self._outcome(effect))
        except StopIteration as end:
            result: T = end.value
            return result

    async def iterate(self, stream: Stream[T] | Subscription[T]) -> AsyncIterator[T]:
        """Perform a workflow, and iterate over its items; or iterate over events."""
        if isinstance(stream, Subscription):
            async for event in self._subscribe(stream):
                yield event
            return
        try:
            effect = next(stream)
            while True:
                if isinstance(effect, Item):
                    yield effect.value
                    effect = next(stream)
                else:
                    effect = step(stream, await self._outcome(effect))
        except StopIteration:
            return
        finally:
            stream.close()

    async def _outcome(self, effect: Call[Any] | Pause) -> Any:
        """Perform a call or a pause; return the answer, or the error."""
        try:
            return await self._perform(effect)
        except ClientError as error:
            return error

    async def _perform(self, effect: Call[Any] | Pause) -> Any:
        if isinstance(effect, Pause):
            return await _sleep(effect.seconds)
        request = request_of(effect)
        if effect.target is None:
            return answer_of(effect, await self._retry(lambda: self.http.request(**request)))
        async with self._open(effect) as response:
            async for block in response.aiter_bytes(READ_BYTES):
                effect.target.write(block)
        return None

    async def _subscribe(self, subscription: Subscription[T]) -> AsyncIterator[T]:
        event: T | None = None
        while True:
            async with self._open(Call(bytes, "GET", subscription.path)) as response:
                with suppress(httpx2.TransportError):
                    async for received in httpx2.EventSource(response):
                        if not received.data:  # a sign of life
                            continue
                        event = decode(subscription.event, received.json())
                        yield event
            if event is not None and subscription.is_last(event):
                return
            await _sleep(self.retries.first_pause_s)  # a server may end every stream at once

    @asynccontextmanager
    async def _open(self, call: Call[Any]) -> AsyncIterator[httpx2.Response]:
        """Open an answer as a stream of bytes."""
        request = self.http.build_request(**request_of(call))
        response = await self._retry(lambda: self.http.send(request, stream=True))
        try:
            yield response
        except httpx2.TransportError as error:
            raise explain_break(error, self.connection.server) from error
        finally:
            await response.aclose()

    async def _retry(self, send: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """Send until the server gives a final answer."""
        attempts = Attempts(self.retries)
        while True:
            try:
                response = await send()
            except httpx2.TransportError as error:
                attempts.note(explain_failure(error))
            else:
                if is_success(response):
                    return response
                await response.aread()
                attempts.note_refusal(response)
            await _sleep(attempts.pause_s())


async def _sleep(seconds: float) -> None:
    import anyio  # only programs with an event loop need it

    await anyio.sleep(seconds)
