"""Which server a command talks to: the one named, else the instance that runs here, else one started for the time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Any, Protocol

import click

from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient

Command = Callable[..., Any]
ENTRY_POINTS = "pawsort.instances"


def server_options(command: Command) -> Command:
    """The options of every command that talks to a server."""
    options = (
        click.option("--server", envvar="PAWSORT_SERVER", metavar="URL", help="Work with the server at this address."),
        click.option(
            "--token",
            envvar="PAWSORT_TOKEN",
            metavar="TOKEN",
            help="Bearer token for it; `pawsort token create` makes one.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def connect(
    server: str | None, token: str | None, say: Callable[[str], object], **settings: object
) -> Iterator[PawsortClient]:
    """A client for the server named, for the instance running on the data directory, or for one started now.

    Args:
        settings: What an instance started now shall have, whatever is set for this machine.
    """
    if server:
        with PawsortClient(_checked(server), token) as client:
            yield client
        return
    with _local_instance()(say, **settings) as record, PawsortClient(record.address, record.token) as client:
        yield client


class LocalInstance(Protocol):
    """Where an instance on this machine listens, and the token that it lets in."""

    @property
    def address(self) -> str: ...

    @property
    def token(self) -> str: ...


def _local_instance() -> Callable[..., AbstractContextManager[LocalInstance]]:
    """What finds or starts an instance on this machine: the entry point of the installed server."""
    found = entry_points(group=ENTRY_POINTS)
    if not found:
        raise ClientError(
            "Only Pawsort's client is installed here, so a server has to be named: --server URL --token TOKEN, or"
            " PAWSORT_SERVER and PAWSORT_TOKEN."
        )
    opened: Callable[..., AbstractContextManager[LocalInstance]] = next(iter(found)).load()
    return opened


def _checked(server: str) -> str:
    if not server.startswith(("http://", "https://")):
        raise ClientError(f"--server: expected an address such as http://127.0.0.1:8000, got {server!r}.")
    return server
