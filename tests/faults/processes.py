"""Processes of an installation: who started whom, and what each one is."""

import os
import signal
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One line of ps. `is_dead`: it has ended and nobody has collected it yet."""

    pid: int
    parent: int
    is_dead: bool
    command: str


def list_processes() -> list[Process]:
    """All processes of this machine."""
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    lines = (line.split(None, 3) for line in listed.stdout.splitlines())
    return [Process(int(one[0]), int(one[1]), one[2].startswith("Z"), one[3]) for one in lines if len(one) == 4]


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


def living(pids: list[int]) -> list[int]:
    """Those that still run."""
    alive = {one.pid for one in list_processes() if not one.is_dead}
    return [pid for pid in pids if pid in alive]


def kill(pid: int) -> None:
    """`kill -9`."""
    os.kill(pid, signal.SIGKILL)


def peak_memory_bytes(pid: int) -> int:
    """The most memory that a process has ever held (Linux)."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
