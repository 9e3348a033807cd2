"""What the Tab key completes from a server: ids of jobs and numbers of versions, if it answers at once."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import click
import httpx2
from click.shell_completion import CompletionItem

from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.api.retries import Retries
from pawsort.connect import find_server

ANSWER_S = 0.3  # a person who presses Tab waits no longer
SHOWN = 50

Ask = Callable[[PawsortClient], Iterable[CompletionItem[Any]]]


class JobId(click.types.UUIDParameterType):
    """The id of a job, with its name as help."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        return _complete(
            ctx,
            incomplete,
            lambda client: (
                CompletionItem(job["id"], help=f"{job['name']} ({job['state']})") for job in client.list_jobs()
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
            lambda client: (
                CompletionItem(str(version["version"]), help=version["network"] + (" (in use)" * version["in_use"]))
                for version in client.list_models()
            ),
        )


JOB = JobId()
VERSION = VersionNumber()


def _complete(context: click.Context, incomplete: str, ask: Ask) -> list[CompletionItem[Any]]:
    """Ask the server once. Nothing is completed without an answer."""
    try:
        server = find_server(context.params.get("server"), context.params.get("token"))
        if server is None:
            return []
        retries, timeout = Retries(give_up_after_s=0), httpx2.Timeout(ANSWER_S)
        with PawsortClient(*server, retries=retries, timeout=timeout) as client:
            return [item for item in islice(ask(client), SHOWN) if str(item.value).startswith(incomplete)]
    except (ClientError, KeyError, ValueError, OSError):
        return []
