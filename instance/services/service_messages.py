"""Messages of a program that runs as a service: a sentence on a terminal, else one line of JSON like its log."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import click

from pawsort.api.errors import ClientError
from pawsort.terminal import echo


def log_message(event: str, sentence: str, level: str = "info") -> None:
    """Write a message to standard error.

    Args:
        event: The event of the log line.
        level: `info`, `warning` or `error`.
    """
    if sys.stderr.isatty():
        echo(f"Error: {sentence}" if level == "error" else sentence, err=True)
        return
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    click.echo(json.dumps({"event": event, "note": sentence, "level": level, "timestamp": now}), err=True)


class ServiceFailed(click.ClickException):
    """A service cannot start, or a step of the deployment failed."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it like every other message of the service."""
        log_message("failed", self.message, "error")


@contextmanager
def errors_as_log_messages() -> Iterator[None]:
    """Write errors within the `with` as messages of a service."""
    try:
        yield
    except ClientError as error:
        raise ServiceFailed(error.message) from error
