"""What the client does, as values: a call and the type of its answer, a pause, an item of a list.

A workflow of several calls is a generator that yields these and gets the answers. It neither sends nor waits itself: a
transport does, with asyncio or without, so that both kinds of programs share every workflow.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, BinaryIO, Generic, TypeAlias, TypeVar

from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError

T = TypeVar("T")

API = "/api/v1"
NOTHING = type(None)
FIRST_PAGE = 100  # often enough, and soon there
PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        answer: The type of the answer: a class of `pawsort.schemas`, bytes for a file, `NOTHING`.
        path: Below /api/v1.
        query: Values that are None are left out.
        content: The body; a file is sent from its start.
        target: Where an answer is written that is too large for the memory.
        is_idempotent: Whether it may be sent again when its answer was lost.
        silence_s: How long the server may send nothing; None for the limit of the connection.
    """

    answer: type[T]
    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    content: bytes | BinaryIO | None = None
    content_type: str | None = None
    target: IO[bytes] | None = None
    is_idempotent: bool = True
    silence_s: float | None = None

    @property
    def parameters(self) -> dict[str, str | int | float]:
        """The query as it is sent."""
        return {name: _in_query(value) for name, value in self.query.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Subscription(Generic[T]):
    """Events that the server sends by itself, until the last one. A broken connection is made again.

    Attributes:
        event: The type of their data.
    """

    event: type[T]
    path: str
    is_last: Callable[[T], bool]


@dataclass(frozen=True, slots=True)
class NextEvent(Generic[T]):
    """Wait for the next event of a subscription, which stays open until the workflow ends.

    It fails when the connection ends, and when the server does not let anybody subscribe. The next one opens another.
    """

    subscription: Subscription[T]


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """A file as it arrives.

    Attributes:
        blocks: Its bytes: an iterator, or an asynchronous one.
        is_partial: The job has not ended, and files without a result so far are missing.
        began_at: When the server began to send it, by its own clock, to the second.
    """

    blocks: T
    is_partial: bool
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Time to wait before the next call."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """One item of a stream, for whoever iterates over it."""

    value: T


Effect: TypeAlias = Call[Any] | Pause | NextEvent[Any]
Flow: TypeAlias = Generator[Effect, Any, T]
Stream: TypeAlias = Generator[Effect | Item[T], Any, None]


def step(work: Generator[Any, Any, Any], outcome: object) -> Any:
    """Go on with a workflow: give it an answer or raise an error in it, and return what it wants next."""
    return work.throw(outcome) if isinstance(outcome, ClientError) else work.send(outcome)


def ask(call: Call[T]) -> Generator[Call[T], Any, T]:
    """Make a call within a workflow: `job = yield from ask(call)`."""
    answer: T = yield call
    return answer


def collect(stream: Stream[T]) -> Flow[list[T]]:
    """Read a stream to its end within a workflow."""
    items: list[T] = []
    try:
        effect = next(stream)
        while True:
            if isinstance(effect, Item):
                items.append(effect.value)
                effect = next(stream)
                continue
            try:
                outcome: object = yield effect
            except ClientError as error:
                outcome = error
            effect = step(stream, outcome)
    except StopIteration:
        return items


def page(path: str, cursor: str | None) -> Call[dict[str, Any]]:
    """One page of a list, as the server gives it, for whoever follows several lists at once."""
    return Call(dict[str, Any], "GET", path, {"limit": PAGE_SIZE, "cursor": cursor})


def pages(item: type[T], path: str, query: Mapping[str, object] | None = None) -> Stream[T]:
    """Follow a list to its end."""
    asked = {"limit": FIRST_PAGE, **(query or {})}
    while True:
        page = yield from ask(Call(dict[str, Any], "GET", path, asked))
        for value in page["items"]:
            yield Item(decode(item, value))
        asked |= {"limit": PAGE_SIZE, "cursor": page.get("next")}
        if asked["cursor"] is None:
            return


def _in_query(value: object) -> str | int | float:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | float) else str(value)
