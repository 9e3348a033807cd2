"""What a program says that runs as a service: words on a terminal, elsewhere a line of JSON as all of its log is."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

import click

from pawsort.api.errors import ClientError


def tell(event: str, sentence: str, level: str = "info") -> None:
    """Say something on standard error.

    Args:
        event: What the line is called in a log.
        level: `info`, `warning` or `error`.
    """
    if sys.stderr.isatty():
        click.echo(f"Error: {sentence}" if level == "error" else sentence, err=True)
        return
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    click.echo(json.dumps({"event": event, "note": sentence, "level": level, "timestamp": now}), err=True)


class ServiceFailed(ClientError):
    """Why a service does not start, or a job of the deployment did not get done."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it as everything else that the service says."""
        tell("failed", self.message, "error")


@contextmanager
def as_service() -> Iterator[None]:
    """Let what goes wrong within be told as a service tells it."""
    try:
        yield
    except ClientError as error:
        raise ServiceFailed(error.message) from error
