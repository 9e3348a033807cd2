"""When a request is retried, and the error when retrying has not helped."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from pawsort.api.errors import ClientError, RequestFailed, Unreachable

# The server, or a proxy in front of it, is away or busy for a moment. Not 507 (disk full): a disk does not
# empty itself within a minute, so that message is shown at once.
TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """Doubling pauses with random jitter, until `give_up_after_s` have passed since the first attempt.

    `stopped` ends the retries of every thread at once.
    """

    give_up_after_s: float = 90.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def call(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send until the server gives a final answer.

        Raises:
            Unreachable: The connection failed until the time was up.
            RequestFailed: The server refused, or was busy until the time was up.
        """
        give_up_at = time.monotonic() + self.give_up_after_s
        pause_s = self.first_pause_s
        while True:
            response, failure, retry_after_s = self._try(send)
            if response is not None:
                return response
            # 10 to 50 % longer, so that the threads of one upload do not all come back at once.
            wait_s = max(retry_after_s, pause_s * random.uniform(1.1, 1.5))  # noqa: S311 - spreads load, keeps no secret
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
        if response.status_code not in TRANSIENT_STATUSES:
            raise failure
        return None, failure, _retry_after_s(response)


def explain_failure(error: httpx.TransportError, server: str | None = None) -> Unreachable:
    """Describe a failed connection in a sentence."""
    if server is None:
        server = _server_of(error)
    return Unreachable(f"{server} does not answer ({_cause(error)}). Check that it runs and that the address is right.")


def explain_refusal(response: httpx.Response) -> RequestFailed:
    """Use the server's own sentence if it sent one, else the status."""
    problem = _problem(response)
    sentence = problem.get("detail") or problem.get("title") or response.reason_phrase
    if response.status_code == httpx.codes.UNAUTHORIZED:
        sentence = (
            f"{sentence} Give a token with --token or PAWSORT_TOKEN. Your page Account makes one, and so does `pawsort"
            " token create` on the server."
        )
    return RequestFailed(f"{sentence} (HTTP {response.status_code})", response.status_code, problem)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after_s(response: httpx.Response) -> float:
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
