"""Which server a command talks to: the one named, else the instance running here, else one started for the command."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from pawsort.api.connection import may_be_token
from pawsort.api.errors import ClientError
from pawsort.api.retries import Retries
from pawsort.client.local_instance import LocalInstance
from pawsort.client.pawsort import Pawsort
from pawsort.terminal import warn

Command = Callable[..., Any]
# An installed server finds or starts its instance with an entry point of this group; `instance` does.
ENTRY_POINTS = "pawsort.instances"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ASK = "-"
NOTICE_EVERY_S = 15.0


def server_options(command: Command) -> Command:
    """Add the options of every command that talks to a server."""
    options = (
        click.option(
            "--server",
            envvar="PAWSORT_SERVER",
            metavar="URL",
            callback=_inherit,
            help="Use the server at this address.",
        ),
        click.option(
            "--token",
            envvar="PAWSORT_TOKEN",
            metavar="TOKEN",
            callback=_inherit,
            help="Bearer token for it; `pawsort token create` makes one, and - asks for it. PAWSORT_TOKEN is safer:"
            " other users of this machine can see options.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _inherit(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Take the option from the group in front of a subcommand: `pawsort jobs --server URL show JOB`."""
    if value is not None or context.parent is None or parameter.name is None:
        return value
    given: str | None = context.parent.params.get(parameter.name)
    return given


@contextmanager
def connect(server: str | None, token: str | None, **settings: object) -> Iterator[Pawsort]:
    """Open a client for the named server, the instance running here, or one started for the time of the `with`.

    Args:
        settings: Settings of an instance that is started here, whatever is set on this machine.
    """
    if server is not None:
        token = _ask_token() if token == ASK else token
        retries = Retries(on_wait=WaitNotice())
        with Pawsort(_check_address(server), _check_token(token), retries=retries) as client:
            _warn(server, token)
            if not client.transport.greet():
                warn(f"{server} accepts connections, but has not answered yet. Check the port if this takes long.")
            yield client
        return
    with _local_instance(**settings) as instance:
        retries = Retries(on_wait=WaitNotice())
        with Pawsort(instance.address, instance.token, retries=retries) as client:
            yield client


class WaitNotice:
    """Says now and then that the server is away, whichever thread waits for it."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def __call__(self, failure: ClientError) -> None:
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + NOTICE_EVERY_S
            warn(f"{failure.message} Retrying.")


def _ask_token() -> str:
    asked: str = click.prompt("Token", hide_input=True, err=True)
    return asked.strip()


def _warn(server: str, token: str | None) -> None:
    """Say where others can see the token: in a list of processes, or on the way to the server."""
    context = click.get_current_context(silent=True)
    while context is not None and context.get_parameter_source("token") != ParameterSource.COMMANDLINE:
        context = context.parent
    if context is not None and context.params["token"] != ASK:
        warn("Other users of this machine can see --token in its list of processes. Set PAWSORT_TOKEN instead.")
    address = urlsplit(server)
    if token and address.scheme == "http" and address.hostname not in LOOPBACK:
        warn(f"{server} is not encrypted: others on the network can read the token. Use https://.")


def _local_instance(**settings: object) -> AbstractContextManager[LocalInstance]:
    points = entry_points(group=ENTRY_POINTS)
    try:
        find_or_start: Callable[..., AbstractContextManager[LocalInstance]] = next(iter(points)).load()
    except (StopIteration, ModuleNotFoundError) as error:
        raise ClientError(
            "Only the client is installed here, so it needs the address of a server. Give --server URL and"
            " --token TOKEN, or set PAWSORT_SERVER and PAWSORT_TOKEN."
        ) from error
    return find_or_start(**settings)


def _check_address(server: str) -> str:
    if not server.startswith(("http://", "https://")):
        raise ClientError(f"--server: expected an address such as http://127.0.0.1:8000, got {server!r}.")
    return server


def _check_token(token: str | None) -> str | None:
    if token is not None and not may_be_token(token):
        raise ClientError("--token: expected what `pawsort token create` printed, and nothing else.")
    return token
