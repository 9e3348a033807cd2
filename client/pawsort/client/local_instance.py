"""The instance that runs on this machine, as an installed server finds it."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Protocol

# An installed server finds its running instance with an entry point of this group; `instance` does.
ENTRY_POINTS = "pawsort.running_instances"


class LocalInstance(Protocol):
    """An instance on this machine: its address, and a token for it."""

    @property
    def address(self) -> str: ...

    @property
    def token(self) -> str: ...


def find_running_instance() -> LocalInstance | None:
    """Return the instance that runs on this machine's data directory, if there is one."""
    for point in entry_points(group=ENTRY_POINTS):
        try:
            find: Callable[[], LocalInstance | None] = point.load()
        except ModuleNotFoundError:  # the server is there without the packages that it needs
            continue
        return find()
    return None
