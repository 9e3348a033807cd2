"""What the Tab key completes from a server: ids of jobs and numbers of versions, if it answers at once."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

import click
import httpx2
from click.shell_completion import CompletionItem

from pawsort.api.errors import ClientError
from pawsort.api.retries import Retries
from pawsort.api.transport import Transport
from pawsort.client.pawsort import find_connection
from pawsort.operations.jobs import Jobs
from pawsort.operations.models import Models

ANSWER_S = 0.3  # a person who presses Tab waits no longer
SHOWN = 50

Ask = Callable[[Transport], Iterable[CompletionItem[Any]]]


class JobId(click.types.UUIDParameterType):
    """The id of a job, with its name as help."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        return _complete(
            ctx,
            incomplete,
            lambda transport: (
                CompletionItem(job.id, help=f"{job.name} ({job.state})") for job in Jobs(transport).list()
            ),
        )


class VersionNumber(click.IntRange):
    """The number of a model version, with its network as help."""

    def __init__(self) -> None:
        super().__init__(1, 2**31 - 1)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        return _complete(
            ctx,
            incomplete,
            lambda transport: (
                CompletionItem(str(model.version), help=model.network + (" (in use)" * model.in_use))
                for model in Models(transport).list()
            ),
        )


JOB = JobId()
VERSION = VersionNumber()


def _complete(context: click.Context, incomplete: str, ask: Ask) -> list[CompletionItem[Any]]:
    """Ask the server once. Nothing is completed without an answer."""
    try:
        connection = find_connection(context.params.get("server"), context.params.get("token"))
        connection = replace(connection, timeout=httpx2.Timeout(ANSWER_S))
        with closing(Transport(connection, Retries(give_up_after_s=0))) as transport:
            return [item for item in islice(ask(transport), SHOWN) if str(item.value).startswith(incomplete)]
    except (ClientError, KeyError, ValueError, OSError):
        return []
