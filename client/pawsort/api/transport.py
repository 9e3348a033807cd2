"""Performs calls and workflows: sends, retries, waits."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

import httpx2

from pawsort.api.calls import Call, Effect, Flow, Item, NextEvent, Pause, Received, Stream, Subscription, step
from pawsort.api.connection import READ_BYTES, Connection, answer_of, received_of, request_of
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError
from pawsort.api.first_contact import greet
from pawsort.api.retries import Retries, explain_break

T = TypeVar("T")

# Streams of events that a workflow listens to.
Heard: TypeAlias = dict[Subscription[Any], Generator[Any]]
SILENCE_S = 30.0  # of a stream; a live one has a sign of life every 15 s


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
        heard: Heard = {}
        try:
            effect = next(work)
            while True:
                effect = step(work, self._outcome(effect, heard))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            _close(heard)

    def iterate(self, stream: Stream[T] | Subscription[T]) -> Iterator[T]:
        """Perform a workflow, and iterate over its items; or iterate over events."""
        if isinstance(stream, Subscription):
            yield from self._subscribe(stream)
            return
        heard: Heard = {}
        try:
            effect = next(stream)
            while True:
                if isinstance(effect, Item):
                    yield effect.value
                    effect = next(stream)
                else:
                    effect = step(stream, self._outcome(effect, heard))
        except StopIteration:
            return
        finally:
            stream.close()
            _close(heard)

    @contextmanager
    def download(self, call: Call[bytes]) -> Iterator[Received[Iterator[bytes]]]:
        """Open a file as a stream of bytes.

        Raises:
            ClientError: While it is read: the server ended it before its end.
        """
        with self._open(call) as response:
            yield received_of(response, response.iter_bytes(READ_BYTES))

    def greet(self) -> bool:
        """Ask whether a Pawsort server is there. Return False if something is, but has not answered yet.

        Raises:
            Unreachable: It is not. The message says why, and what to do.
        """
        return greet(self.http, self.connection.server)

    def _outcome(self, effect: Effect, heard: Heard) -> Any:
        """Do what a workflow wants; return the answer, or the error."""
        try:
            return self._hear(effect.subscription, heard) if isinstance(effect, NextEvent) else self._perform(effect)
        except ClientError as error:
            return error

    def _perform(self, effect: Call[Any] | Pause) -> Any:
        if isinstance(effect, Pause):
            return self.retries.stopped.wait(effect.seconds)
        if effect.target is None:
            return answer_of(effect, self._send(effect))
        with self._open(effect) as response:
            for block in response.iter_bytes(READ_BYTES):
                effect.target.write(block)
        return None

    def _send(self, call: Call[Any]) -> httpx2.Response:
        return self.retries.call(lambda: self.http.request(**request_of(call)), is_idempotent=call.is_idempotent)

    def _hear(self, subscription: Subscription[T], heard: Heard) -> T:
        """Wait for the next event.

        Raises:
            ClientError: The stream has ended, or there is none.
        """
        if subscription not in heard:
            heard[subscription] = self._listen(subscription, replace(self.retries, give_up_after_s=0.0))
        for event in heard[subscription]:
            found: T = event
            return found
        del heard[subscription]
        raise ClientError("The stream of events has ended.")

    def _subscribe(self, subscription: Subscription[T]) -> Iterator[T]:
        event: T | None = None
        while True:
            for event in self._listen(subscription, self.retries):
                yield event
            if event is not None and subscription.is_last(event):
                return
            self.retries.stopped.wait(self.retries.first_pause_s)  # a server may end every stream at once

    def _listen(self, subscription: Subscription[T], retries: Retries) -> Generator[T]:
        """Iterate over the events of one connection, until it ends or breaks."""
        call = Call(bytes, "GET", subscription.path, silence_s=SILENCE_S)
        with self._open(call, retries) as response, suppress(httpx2.TransportError):
            for received in httpx2.EventSource(response):
                if received.data:  # else it is a sign of life
                    yield decode(subscription.event, received.json())

    @contextmanager
    def _open(self, call: Call[Any], retries: Retries | None = None) -> Iterator[httpx2.Response]:
        request = self.http.build_request(**request_of(call))
        response = (retries or self.retries).call(lambda: self.http.send(request, stream=True))
        try:
            yield response
        except httpx2.TransportError as error:
            raise explain_break(error, self.connection.server) from error
        finally:
            response.close()


def _close(heard: Heard) -> None:
    for stream in heard.values():
        stream.close()
