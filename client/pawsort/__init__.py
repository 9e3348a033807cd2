"""Pawsort: a folder of pictures goes in, labels come out. This is the client: a library and the command `pawsort`.

It talks to a server and never imports its code. An installed server adds its commands, and the instance on this
machine, with the entry points `pawsort.commands`, `pawsort.instances` and `pawsort.running_instances` (see `instance`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pawsort.api.errors import (
        ClientError,
        Conflict,
        Invalid,
        JobFailed,
        NotAllowed,
        NotAuthenticated,
        NotFound,
        OutcomeUnknown,
        RequestFailed,
        ServerBusy,
        TooLarge,
        Unreachable,
    )
    from pawsort.api.retries import Retries
    from pawsort.client.pawsort import AsyncPawsort, Pawsort

__all__ = [
    "AsyncPawsort",
    "ClientError",
    "Conflict",
    "Invalid",
    "JobFailed",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "OutcomeUnknown",
    "Pawsort",
    "RequestFailed",
    "Retries",
    "ServerBusy",
    "TooLarge",
    "Unreachable",
]

_MODULES = {"AsyncPawsort": "client.pawsort", "Pawsort": "client.pawsort", "Retries": "api.retries"}


def __getattr__(name: str) -> object:
    """Import a public name when it is used: the command imports only what it needs."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pawsort.{_MODULES.get(name, 'api.errors')}"), name)
    globals()[name] = value
    return value
