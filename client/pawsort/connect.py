"""Which server a command talks to: the one named, else the instance that runs here, else one started for the time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient

from instance.admin.error_messages import sentences

Command = Callable[..., Any]


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
    with sentences():
        from core.base.config import load_settings

        data_dir = load_settings().data_dir
    from instance.supervisor.attach import find_instance, started_instance

    record = find_instance(data_dir)
    if record is not None:
        with PawsortClient(record.address, record.token) as client:
            yield client
        return
    with started_instance(data_dir, say, **settings) as record, PawsortClient(record.address, record.token) as client:
        yield client


def _checked(server: str) -> str:
    if not server.startswith(("http://", "https://")):
        raise ClientError(f"--server: expected an address such as http://127.0.0.1:8000, got {server!r}.")
    return server
