"""When a request is tried again, and what is said when patience runs out."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from pawsort.api.errors import ClientError, RequestFailed, Unreachable

# The server, or what stands before it, is away or busy for a moment. 507 (disk full) is not among them: no disk empties
# itself within a minute, so the sentence with it is of more use at once.
PASSING_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """Doubling pauses with some chance in them, until `patience_s` have gone by since the first try.

    `stopped` ends the patience of every thread at once.
    """

    patience_s: float = 90.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def call(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until there is an answer that stays.

        Raises:
            Unreachable: The connection failed until patience ran out.
            RequestFailed: The server refused; or it was busy until patience ran out.
        """
        give_up_at = time.monotonic() + self.patience_s
        pause_s = self.first_pause_s
        while True:
            response, failure, asked_s = self._try(send)
            if response is not None:
                return response
            # A tenth to a half more than the plan, so that the threads of one upload do not all come back at once.
            wait_s = max(asked_s, pause_s * random.uniform(1.1, 1.5))  # noqa: S311 - spreads load, keeps no secret
            if time.monotonic() + wait_s > give_up_at or self.stopped.wait(wait_s):
                raise failure
            pause_s = min(pause_s * 2, self.longest_pause_s)

    def _try(self, send: Callable[[], httpx.Response]) -> tuple[httpx.Response | None, ClientError, float]:
        try:
            response = send()
        except httpx.TransportError as error:
            return None, explain_failure(error), 0.0
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return response, ClientError(""), 0.0
        response.read()
        failure = explain_refusal(response)
        if response.status_code not in PASSING_STATUSES:
            raise failure
        return None, failure, _asked_pause_s(response)


def explain_failure(error: httpx.TransportError, server: str | None = None) -> Unreachable:
    """A sentence for a connection that failed."""
    if server is None:
        server = _server_of(error)
    return Unreachable(f"{server} does not answer ({_cause(error)}). Check that it runs and that the address is right.")


def explain_refusal(response: httpx.Response) -> RequestFailed:
    """The server's own sentence where it sent one, else the status."""
    problem = _problem(response)
    said = problem.get("detail") or problem.get("title") or response.reason_phrase
    if response.status_code == httpx.codes.UNAUTHORIZED:
        said = f"{said} Give a token with --token or PAWSORT_TOKEN; `pawsort token create` makes one on the server."
    return RequestFailed(f"{said} (HTTP {response.status_code})", response.status_code, problem)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _asked_pause_s(response: httpx.Response) -> float:
    try:
        return min(float(response.headers.get("Retry-After", "0")), 30.0)
    except ValueError:
        return 0.0


def _server_of(error: httpx.TransportError) -> str:
    try:
        url = error.request.url
    except RuntimeError:
        return "The server"
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _cause(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
