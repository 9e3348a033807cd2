"""What can go wrong between a command and a server. Every message is a sentence for the person at the keyboard."""

from typing import Any

import click


class ClientError(click.ClickException):
    """Shown as it is, without a trace; the command ends with exit code 1."""


class Unreachable(ClientError):
    """No answer came, however often it was tried."""


class BadArchive(ClientError):
    """An archive that was sent broke off or cannot be read; `job` is what holds its whole files, if anything does."""

    def __init__(self, message: str, job: str | None) -> None:
        super().__init__(message)
        self.job = job


class RequestFailed(ClientError):
    """The server answered, and the answer is no.

    Attributes:
        status: The HTTP status.
        problem: The problem details that came with it (RFC 9457), or nothing.
    """

    def __init__(self, message: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem
