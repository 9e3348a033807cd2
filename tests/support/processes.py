"""Processes: who started whom, what each one is, and whether it still runs."""

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import until

PROC = Path("/proc")
DEAD = ("Z", "X")


@dataclass(frozen=True)
class Process:
    """A process of this machine. `is_dead`: it has ended and nobody has collected it yet."""

    pid: int
    parent: int
    is_dead: bool
    command: str


def list_processes() -> list[Process]:
    """All processes of this machine."""
    if not (PROC / "self").exists():
        return _ask_ps("-axww")
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it has just ended
                state, parent = _read_stat(int(entry.name))
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                found.append(Process(int(entry.name), parent, state in DEAD, command.strip()))
    return found


def _read_stat(pid: int) -> tuple[str, int]:
    """State and parent of a process (Linux)."""
    after_name = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return after_name[0], int(after_name[1])


def _ask_ps(*which: str) -> list[Process]:
    command = ["ps", *which, "-o", "pid=,ppid=,stat=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (line.split(None, 3) for line in listed.stdout.splitlines())
    return [Process(int(one[0]), int(one[1]), one[2].startswith(DEAD), one[3]) for one in lines if len(one) == 4]


def living_below(pid: int) -> list[Process]:
    """The living processes that a process has started, directly or not."""
    processes = list_processes()
    found, fathers = [], {pid}
    while True:
        more = [one for one in processes if one.parent in fathers and one not in found]
        if not more:
            return [one for one in found if not one.is_dead]
        found += more
        fathers = {one.pid for one in more}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected by its parent does not."""
    if not (PROC / "self").exists():
        return any(not one.is_dead for one in _ask_ps("-p", str(pid)))
    try:
        return _read_stat(pid)[0] not in DEAD
    except OSError:
        return False


def is_living_below(pid: int, ancestor: int) -> bool:
    """Whether a process runs and was started, directly or not, by another: a number alone may be somebody else's."""
    if not (PROC / "self").exists():
        return any(one.pid == pid for one in living_below(ancestor))
    try:
        while pid not in (0, 1, ancestor):
            state, pid = _read_stat(pid)
            if state in DEAD:
                return False
    except OSError:
        return False
    return pid == ancestor


def living(pids: list[int]) -> list[int]:
    """Those that still run."""
    return [pid for pid in pids if is_alive(pid)]


def kill(pid: int) -> None:
    """`kill -9`."""
    os.kill(pid, signal.SIGKILL)


def read_pids(path: Path, seconds: float = 10.0) -> list[int]:
    """The numbers that a program has written down; it may be just writing others."""
    words = until(lambda: path.exists() and path.read_text().split(), seconds, f"{path.name} to be written")
    return [int(word) for word in words]


def peak_memory_bytes(pid: int) -> int:
    """The most memory that a process has ever held (Linux)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def largest_web_process() -> int:
    """The web process that this test has started, and not the one that only supervises it."""
    started = [one.pid for one in living_below(os.getpid()) if "web.wsgi:app" in one.command]
    return max(started, key=peak_memory_bytes)
