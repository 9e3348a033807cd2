"""One process that the supervisor keeps running: started again, later each time, when it dies."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from instance.supervisor.child_logs import ChildLog
from instance.supervisor.guard_client import Guarding

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# Who has lived this long is started at once when it dies the next time.
LIVED_S = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """What a child runs.

    Attributes:
        env: On top of what all children get.
        fds: Open files that it inherits.
        warns: Its warnings are worth showing on the terminal.
    """

    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()
    warns: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all children share."""

    cwd: Path
    env: Mapping[str, str]
    lock_fd: int
    guarding: Guarding
    say: Callable[[str], object]


class Child:
    """A program and its process, alive or waiting to be started again.

    Each process leads a session of its own: Ctrl-C reaches the supervisor alone, which then ends the children in their
    order, and what a child has started can be ended together with it.
    """

    def __init__(self, program: Program, log: ChildLog, around: Surroundings) -> None:
        self.name = program.name
        self.log = log
        self.deaths = 0
        self._program = program
        self._around = around
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = self._pause_s = 0.0
        self._started_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def tend(self) -> None:
        """Start it when its time has come; notice when it has died; show, sparingly, what it warns of."""
        if self._program.warns and (news := self.log.news()):
            self._around.say(f"{self.name}: {news}")
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self._start()
        elif (code := self._process.poll()) is not None:
            self._bury(code)

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself: it tells those that it has started."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)

    def has_ended(self) -> bool:
        """Whether it has ended, without starting it again."""
        if self._process and self._process.poll() is not None:
            self._forget()
        return self._process is None

    def kill(self) -> None:
        """End it and what it has started, now."""
        if self._process:
            self._kill_group(self._process.pid)
            self._process.wait()
            self._forget()

    def _start(self) -> None:
        around, program = self._around, self._program
        self._process = subprocess.Popen(  # noqa: S603 - our own programs, never a shell
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=self.log.fileno(),
            stderr=subprocess.STDOUT,
            cwd=around.cwd,
            env={**around.env, **program.env},
            start_new_session=True,
            pass_fds=(around.lock_fd, *program.fds),
            preexec_fn=around.guarding.before_exec(),  # safe: the supervisor has one thread
        )
        self._started_at = time.monotonic()
        around.guarding.started(self._process.pid)

    def _bury(self, code: int) -> None:
        self.deaths += 1
        lived_s = time.monotonic() - self._started_at
        self._pause_s = (
            FIRST_PAUSE_S if lived_s >= LIVED_S else min(max(self._pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        )
        self._start_at = time.monotonic() + self._pause_s
        self._forget()
        said = f"{self.name} ended ({describe_exit(code)}); starting it again in {self._pause_s:g} s."
        if code > 0 and self._pause_s > FIRST_PAUSE_S:
            # The second time in a row: it is not going to get better without somebody looking.
            said += f" Its last words, in {self.log.path}: {self.log.last_lines(1)}"
        self._around.say(said)

    def _forget(self) -> None:
        if self._process:
            # What it had started must not go on beside its successor, or hold its port.
            self._kill_group(self._process.pid)
            self._around.guarding.ended(self._process.pid)
            self._process = None

    @staticmethod
    def _kill_group(group: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
