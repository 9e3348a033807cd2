"""Errors between a command and a server. Every message is a sentence for the user, and says what to do."""

from typing import Any

import click


class ClientError(click.ClickException):
    """Shown as it is, without a traceback. The command ends with exit code 1."""


class Unreachable(ClientError):
    """The server did not answer, after all retries."""


class BadArchive(ClientError):
    """An uploaded archive is incomplete or cannot be read. `job` has the files before that point, if there are any."""

    def __init__(self, message: str, job: str | None) -> None:
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
