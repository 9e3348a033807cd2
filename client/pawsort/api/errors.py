"""Errors of the client. Every message is a sentence for the user, and says what to do."""

from typing import Any


class ClientError(Exception):
    """Something went wrong. The command shows the message without a traceback and ends with exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unreachable(ClientError):
    """The server did not answer, after all retries."""


class OutcomeUnknown(ClientError):
    """The answer was lost to a request that must not be sent twice. The server may have done it."""


class BadArchive(ClientError):
    """An uploaded archive is incomplete or cannot be read. `job` has the files before that point, if there are any."""

    def __init__(self, message: str, job: str | None) -> None:
        super().__init__(message)
        self.job = job


class JobFailed(ClientError):
    """A job ended without success. `job` is its id."""

    def __init__(self, message: str, job: str) -> None:
        super().__init__(message)
        self.job = job


class RequestFailed(ClientError):
    """The server refused the request.

    Attributes:
        status: The HTTP status.
        problem: The problem details of the answer (RFC 9457), or an empty dictionary.
    """

    def __init__(self, message: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


class NotAuthenticated(RequestFailed):
    """The token is missing, wrong, or no longer valid (401)."""


class NotAllowed(RequestFailed):
    """The token does not have the right (403)."""


class NotFound(RequestFailed):
    """It is not there (404), or was deleted (410)."""


class Conflict(RequestFailed):
    """It is in a state that does not allow this (409)."""


class TooLarge(RequestFailed):
    """It is too large, or more than the quota (413)."""


class Invalid(RequestFailed):
    """The server does not accept a value (422)."""


class ServerBusy(RequestFailed):
    """The server, or a proxy in front of it, was busy until the retries ended (429, 502, 503, 504)."""


REFUSALS: dict[int, type[RequestFailed]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    413: TooLarge,
    422: Invalid,
    429: ServerBusy,
    502: ServerBusy,
    503: ServerBusy,
    504: ServerBusy,
}
