"""Operations: methods that are written once, as calls, and that programs use with asyncio or without.

`class JobOperations` describes calls. `class Jobs(JobOperations, Group)` performs them, and `class
AsyncJobs(JobOperations, AsyncGroup)` performs them awaited. Types follow: a `get` that describes a `Call[Job]` returns
a `Job` there, and a coroutine of one here.
"""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from pawsort.api.async_transport import AsyncTransport
from pawsort.api.calls import Call, Flow, Received, Stream, Subscription, ask
from pawsort.api.transport import Transport

P = ParamSpec("P")
T = TypeVar("T")
G = TypeVar("G")
A = TypeVar("A")


class Group:
    """Operations on one subject, performed at once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _bind(self, describe: Callable[P, Call[T] | Flow[T]]) -> Callable[P, T]:
        @functools.wraps(describe)
        def perform(*args: P.args, **kwargs: P.kwargs) -> T:
            return self._transport.run(describe(*args, **kwargs))

        return perform

    def _bind_stream(self, describe: Callable[P, Stream[T] | Subscription[T]]) -> Callable[P, Iterator[T]]:
        @functools.wraps(describe)
        def perform(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            return self._transport.iterate(describe(*args, **kwargs))

        return perform

    def _bind_download(
        self, describe: Callable[P, Call[bytes]]
    ) -> Callable[P, AbstractContextManager[Received[Iterator[bytes]]]]:
        return lambda *args, **kwargs: self._transport.download(describe(*args, **kwargs))


class AsyncGroup:
    """Operations on one subject, awaited."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def _bind(self, describe: Callable[P, Call[T] | Flow[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @functools.wraps(describe)
        async def perform(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self._transport.run(describe(*args, **kwargs))

        return perform

    def _bind_stream(self, describe: Callable[P, Stream[T] | Subscription[T]]) -> Callable[P, AsyncIterator[T]]:
        @functools.wraps(describe)
        def perform(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            return self._transport.iterate(describe(*args, **kwargs))

        return perform

    def _bind_download(
        self, describe: Callable[P, Call[bytes]]
    ) -> Callable[P, AbstractAsyncContextManager[Received[AsyncIterator[bytes]]]]:
        return lambda *args, **kwargs: self._transport.download(describe(*args, **kwargs))


class Operation(Generic[P, T]):
    """A call, or a workflow of several, as a method."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T] | Flow[T]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    def within(self, *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        """Perform it within a workflow: `job = yield from JobOperations.get.within(id)`."""
        described = self.describe(None, *args, **kwargs)
        return (yield from ask(described) if isinstance(described, Call) else described)

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...
    @overload
    def __get__(self, group: Group, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, group: AsyncGroup, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        return self if group is None else group._bind(self.describe.__get__(group))


class Listing(Generic[P, T]):
    """A list that may be long, or that grows while it is read, as a method."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Stream[T] | Subscription[T]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...
    @overload
    def __get__(self, group: Group, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, group: AsyncGroup, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        return self if group is None else group._bind_stream(self.describe.__get__(group))


class Download(Generic[P]):
    """A file that is read while it arrives, as a method: `with jobs.open_export(…) as export:`."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[bytes]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...
    @overload
    def __get__(self, group: Group, owner: type) -> Callable[P, AbstractContextManager[Received[Iterator[bytes]]]]: ...
    @overload
    def __get__(
        self, group: AsyncGroup, owner: type
    ) -> Callable[P, AbstractAsyncContextManager[Received[AsyncIterator[bytes]]]]: ...
    def __get__(self, group: Any, owner: type) -> Any:
        return self if group is None else group._bind_download(self.describe.__get__(group))


class Subject(Generic[G, A]):
    """A group of operations as an attribute of the client."""

    def __init__(self, group: Callable[[Transport], G], async_group: Callable[[AsyncTransport], A]) -> None:
        self._group, self._async_group = group, async_group

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Group, owner: type) -> G: ...
    @overload
    def __get__(self, client: AsyncGroup, owner: type) -> A: ...
    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        return (self._group if isinstance(client, Group) else self._async_group)(client._transport)
