"""When a request is retried, and the error when retrying has not helped."""

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from pawsort.api.errors import REFUSALS, ClientError, OutcomeUnknown, RequestFailed, Unreachable

# The server, or a proxy in front of it, is away or busy for a moment. Not 507 (disk full): a disk does not
# empty itself within a minute, so that message is shown at once.
TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
# The request may have reached the server, and its answer was lost.
LOST_ANSWERS = frozenset({502, 504})
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
LONG_PAUSE_S = 1.0
BROKEN_OFF = (
    "The export broke off before its end, so nothing of it was kept. The job may have been deleted, retried, or given"
    " another threshold. Export it again."
)


@dataclass(frozen=True, slots=True)
class Retries:
    """Doubling pauses with random jitter, until `give_up_after_s` have passed since the first attempt.

    `stopped` ends the retries of every thread at once. `on_wait` is called with what went wrong before each longer
    pause, in the thread that waits.
    """

    give_up_after_s: float = 90.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0
    stopped: threading.Event = field(default_factory=threading.Event)
    on_wait: Callable[[ClientError], object] = lambda _: None

    def call(self, send: Callable[[], httpx2.Response], *, is_idempotent: bool = True) -> httpx2.Response:
        """Send until the server gives a final answer.

        Raises:
            Unreachable: The connection failed until the time was up.
            OutcomeUnknown: The answer was lost, and the request must not be sent twice.
            RequestFailed: The server refused, or was busy until the time was up.
        """
        attempts = Attempts(self, is_idempotent)
        while True:
            try:
                response = send()
            except httpx2.TransportError as error:
                attempts.note_failure(error)
            else:
                if is_success(response):
                    return response
                response.read()
                attempts.note_refusal(response)
            if self.stopped.wait(attempts.pause_s()):
                raise attempts.failure


class Attempts:
    """The attempts at one request: after each failure, how long to pause before the next one.

    It neither sends nor waits, so that programs with and without asyncio retry alike.
    """

    def __init__(self, retries: Retries, is_idempotent: bool = True) -> None:
        self._retries, self._is_idempotent = retries, is_idempotent
        self._give_up_at = time.monotonic() + retries.give_up_after_s
        self._pause_s = retries.first_pause_s
        self._retry_after_s = 0.0
        self.failure = ClientError("")

    def note_failure(self, error: httpx2.TransportError) -> None:
        """Note that the connection failed.

        Raises:
            OutcomeUnknown: The request may have reached the server, and must not be sent twice.
        """
        self.failure, self._retry_after_s = explain_failure(error), 0.0
        if not isinstance(error, NOT_SENT):
            self._note_lost_answer()

    def note_refusal(self, response: httpx2.Response) -> None:
        """Note that the server refused.

        Raises:
            RequestFailed: For good.
            OutcomeUnknown: As `note_failure`.
        """
        self.failure = explain_refusal(response)
        if response.status_code not in TRANSIENT_STATUSES:
            raise self.failure
        if response.status_code in LOST_ANSWERS:
            self._note_lost_answer()
        self._retry_after_s = _retry_after_s(response)

    def _note_lost_answer(self) -> None:
        if not self._is_idempotent:
            raise OutcomeUnknown(
                f"{self.failure.message} The answer was lost, and the server may have done what was asked. Look before"
                " you repeat it."
            ) from self.failure

    def pause_s(self) -> float:
        """Return how long to pause.

        Raises:
            ClientError: The last failure; there is no time for another attempt.
        """
        # 10 to 50 % longer, so that the threads of one upload do not all come back at once.
        spread = random.uniform(1.1, 1.5)  # noqa: S311 - spreads load, keeps no secret
        wait_s = max(self._retry_after_s, self._pause_s * spread)
        if time.monotonic() + wait_s > self._give_up_at:
            raise self.failure
        self._pause_s = min(self._pause_s * 2, self._retries.longest_pause_s)
        if wait_s >= LONG_PAUSE_S:
            self._retries.on_wait(self.failure)
        return wait_s


def is_success(response: httpx2.Response) -> bool:
    """Return whether the server did what was asked; that nothing has changed is an answer, too."""
    return response.is_success or response.status_code == httpx2.codes.NOT_MODIFIED


def explain_failure(error: httpx2.TransportError, server: str | None = None) -> Unreachable:
    """Describe a failed connection in a sentence."""
    if server is None:
        server = _server_of(error)
    return Unreachable(f"{server} does not answer ({_cause(error)}). Check that it runs and that the address is right.")


def explain_break(error: httpx2.TransportError, server: str) -> ClientError:
    """Describe an answer that ended before its end."""
    return ClientError(BROKEN_OFF) if isinstance(error, httpx2.RemoteProtocolError) else explain_failure(error, server)


def explain_refusal(response: httpx2.Response) -> RequestFailed:
    """Use the server's own sentence if it sent one, else the status."""
    problem = object_of(response)
    sentence = problem.get("detail") or problem.get("title") or response.reason_phrase
    if response.status_code == httpx2.codes.UNAUTHORIZED:
        sentence = (
            f"{sentence} Give a token with --token or PAWSORT_TOKEN. Your page Account makes one, and so does `pawsort"
            " token create` on the server."
        )
    kind = REFUSALS.get(response.status_code, RequestFailed)
    return kind(f"{sentence} (HTTP {response.status_code})", response.status_code, problem)


def object_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the JSON object that an answer has as its body; empty if it has none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after_s(response: httpx2.Response) -> float:
    try:
        seconds = float(response.headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return min(seconds, 30.0) if math.isfinite(seconds) else 0.0


def _server_of(error: httpx2.TransportError) -> str:
    try:
        url = error.request.url
    except RuntimeError:
        return "The server"
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _cause(error: httpx2.TransportError) -> str:
    return str(error) or type(error).__name__
