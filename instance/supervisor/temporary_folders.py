"""Folders that exist while an instance runs. The guard removes them if the supervisor is killed."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from instance.supervisor.guard_client import GuardClient

LONGEST_BASE = 60


def create_socket_folder(stack: ExitStack, guard: GuardClient) -> Path:
    """Create a folder with a short path: socket addresses are limited to 108 bytes, on macOS to 104."""
    base = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="pawsort-", dir=base if len(base) < LONGEST_BASE else "/tmp"))  # noqa: S108
    _remove_at_the_end(folder, stack, guard)
    return folder


def create_scratch_folder(data_dir: Path, stack: ExitStack, guard: GuardClient) -> Path:
    """Create the folder for the children's temporary files. Those of killed children go when the instance ends.

    It is not below /tmp, where the system removes folders that were not written to for some days.
    """
    folder = data_dir / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    _remove_at_the_end(folder, stack, guard)
    return folder


def _remove_at_the_end(folder: Path, stack: ExitStack, guard: GuardClient) -> None:
    guard.add_path(folder)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
