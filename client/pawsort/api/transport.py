"""Performs calls and workflows: sends, retries, waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import httpx2

from pawsort.api.calls import Call, Flow, Item, Pause, Stream, Subscription, step
from pawsort.api.connection import READ_BYTES, Connection, answer_of, request_of
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError
from pawsort.api.retries import Retries, explain_break

T = TypeVar("T")


class Transport:
    """One server, one token. Safe to use from several threads at once."""

    def __init__(self, connection: Connection, retries: Retries | None = None) -> None:
        self.connection = connection
        # Closing ends its own retries, and not those of another client with the same limits.
        self.retries = replace(retries or Retries(), stopped=threading.Event())
        self.http = httpx2.Client(**connection.options)

    def close(self) -> None:
        """Close the connections. Threads that wait to retry give up."""
        self.retries.stopped.set()
        self.http.close()

    def run(self, work: Call[T] | Flow[T]) -> T:
        """Perform a call, or a workflow to its end."""
        if isinstance(work, Call):
            answer: T = self._perform(work)
            return answer
        try:
            effect = next(work)
            while True:
                effect = step(work, self._outcome(effect))
        except StopIteration as end:
            result: T = end.value
            return result

    def iterate(self, stream: Stream[T] | Subscription[T]) -> Iterator[T]:
        """Perform a workflow, and iterate over its items; or iterate over events."""
        if isinstance(stream, Subscription):
            yield from self._subscribe(stream)
            return
        try:
            effect = next(stream)
            while True:
                if isinstance(effect, Item):
                    yield effect.value
                    effect = next(stream)
                else:
                    effect = step(stream, self._outcome(effect))
        except StopIteration:
            return
        finally:
            stream.close()

    def _outcome(self, effect: Call[Any] | Pause) -> Any:
        """Perform a call or a pause; return the answer, or the error."""
        try:
            return self._perform(effect)
        except ClientError as error:
            return error

    def _perform(self, effect: Call[Any] | Pause) -> Any:
        if isinstance(effect, Pause):
            return self.retries.stopped.wait(effect.seconds)
        if effect.target is None:
            return answer_of(effect, self.retries.call(lambda: self.http.request(**request_of(effect))))
        with self.open(effect) as response:
            for block in response.iter_bytes(READ_BYTES):
                effect.target.write(block)
        return None

    def _subscribe(self, subscription: Subscription[T]) -> Iterator[T]:
        event: T | None = None
        while True:
            with self.open(Call(bytes, "GET", subscription.path)) as response, suppress(httpx2.TransportError):
                for received in httpx2.EventSource(response):
                    if not received.data:  # a sign of life
                        continue
                    event = decode(subscription.event, received.json())
                    yield event
            if event is not None and subscription.is_last(event):
                return
            self.retries.stopped.wait(self.retries.first_pause_s)  # a server may end every stream at once

    @contextmanager
    def open(self, call: Call[Any]) -> Iterator[httpx2.Response]:
        """Open an answer as a stream of bytes.

        Raises:
            ClientError: While it is read: the server ended it before its end.
        """
        request = self.http.build_request(**request_of(call))
        response = self.retries.call(lambda: self.http.send(request, stream=True))
        try:
            yield response
        except httpx2.TransportError as error:
            raise explain_break(error, self.connection.server) from error
        finally:
            response.close()
