"""How both kinds of clients reach a server: its address, the token, time limits."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, TypeVar

import httpx2

from pawsort.api.calls import API, NOTHING, Call, Received
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError

T = TypeVar("T")

READ_BYTES = 2**20
PARTIAL = "Pawsort-Partial"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
# The read timeout is long: after the last byte, the server may still be writing a large shard to a slow disk.
TIMEOUT = httpx2.Timeout(60.0, connect=10.0, read=300.0)


@dataclass(frozen=True)
class Connection:
    """One server and one token.

    Raises:
        ClientError: The token cannot be one, or the address holds a password. The message quotes neither.
    """

    server: str
    token: str | None = field(default=None, repr=False)
    timeout: httpx2.Timeout = field(default_factory=lambda: TIMEOUT)

    def __post_init__(self) -> None:
        if self.token and not may_be_token(self.token):
            raise ClientError(
                "The token holds a line break or another character that no token has. Give what `pawsort token create`"
                " printed, and nothing else."
            )
        if httpx2.URL(self.server).userinfo:  # messages name the address
            raise ClientError("The address of the server holds a name or a password. Leave them out; give a token.")

    @property
    def options(self) -> dict[str, Any]:
        """The options of a client of httpx2."""
        headers = {"User-Agent": "pawsort", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        # An address on this machine, and its token, must not go through a proxy named in the environment.
        trusts_environment = httpx2.URL(self.server).host not in LOCAL_HOSTS
        return {
            "base_url": self.server.rstrip("/"),
            "headers": headers,
            "timeout": self.timeout,
            "trust_env": trusts_environment,
        }


def may_be_token(text: str) -> bool:
    """Return whether a header can carry a text as a token."""
    return text.isascii() and text.isprintable() and bool(text.strip())


def request_of(call: Call[Any]) -> dict[str, Any]:
    """Return the arguments of the request that a call describes."""
    headers: dict[str, str] = {}
    content: bytes | Iterator[bytes] | None
    content = call.content if isinstance(call.content, bytes | None) else _blocks(call.content)
    if call.json is not None:
        content, headers["Content-Type"] = _as_json(call.json), "application/json"
    elif call.content_type:
        headers["Content-Type"] = call.content_type
    if call.answer is bytes or call.target is not None:
        headers["Accept"] = "*/*"
    request = {
        "method": call.method,
        "url": API + call.path,
        "params": call.parameters,
        "content": content,
        "headers": headers,
    }
    return request if call.silence_s is None else request | {"timeout": httpx2.Timeout(call.silence_s)}


def answer_of(call: Call[T], response: httpx2.Response) -> T:
    """Return the answer of a call that succeeded."""
    if call.answer is NOTHING:
        return decode(call.answer, None)
    return decode(call.answer, response.content if call.answer is bytes else response.json())


def received_of(response: httpx2.Response, blocks: T) -> Received[T]:
    """Return a file that has begun to arrive."""
    return Received(blocks, PARTIAL in response.headers, _date_of(response))


def _date_of(response: httpx2.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(READ_BYTES):
        yield block


def _as_json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, default=str).encode()
