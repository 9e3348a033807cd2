"""Which server a command talks to: the one named, else the instance running here, else one started for the command."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Any, Protocol
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.terminal import echo

Command = Callable[..., Any]
# An installed server offers its local instance with an entry point of this group; `instance` does.
ENTRY_POINTS = "pawsort.instances"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ASK = "-"


class LocalInstance(Protocol):
    """An instance on this machine: its address, and a token for it."""

    @property
    def address(self) -> str: ...

    @property
    def token(self) -> str: ...


def server_options(command: Command) -> Command:
    """Add the options of every command that talks to a server."""
    options = (
        click.option("--server", envvar="PAWSORT_SERVER", metavar="URL", help="Use the server at this address."),
        click.option(
            "--token",
            envvar="PAWSORT_TOKEN",
            metavar="TOKEN",
            help="Bearer token for it; `pawsort token create` makes one, and - asks for it. PAWSORT_TOKEN is safer:"
            " other users of this machine can see options.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def connect(server: str | None, token: str | None, **settings: object) -> Iterator[PawsortClient]:
    """Open a client for the named server, the instance running here, or one started for the time of the `with`.

    Args:
        settings: Settings of an instance that is started here, whatever is set on this machine.
    """
    if server is not None:
        token = _ask_token() if token == ASK else token
        with PawsortClient(_check_address(server), _check_token(token)) as client:
            _warn(server, token)
            yield client
        return
    with _local_instance(**settings) as instance, PawsortClient(instance.address, instance.token) as client:
        yield client


def _ask_token() -> str:
    asked: str = click.prompt("Token", hide_input=True, err=True)
    return asked.strip()


def _warn(server: str, token: str | None) -> None:
    """Say where others can see the token: in a list of processes, or on the way to the server."""
    context = click.get_current_context(silent=True)
    given = context.params.get("token") if context else None
    is_in_command = context is not None and context.get_parameter_source("token") == ParameterSource.COMMANDLINE
    if is_in_command and given != ASK:
        echo(
            "Other users of this machine can see --token in its list of processes. Set PAWSORT_TOKEN instead.", err=True
        )
    address = urlsplit(server)
    if token and address.scheme == "http" and address.hostname not in LOOPBACK:
        echo(f"{server} is not encrypted: others on the network can read the token. Use https://.", err=True)


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
    if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
        raise ClientError(f"--token: expected what `pawsort token create` printed, got {token!r}.")
    return token
