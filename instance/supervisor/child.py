"""A process that the supervisor keeps running. When it dies it is restarted, after a longer pause each time."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.operations.alive_file import AliveFile, HangCheck
from instance.base.programs import Program
from instance.supervisor.child_logs import ChildLog
from instance.supervisor.guard_client import GuardClient

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A child that has run this long is restarted without a longer pause.
STABLE_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class ChildContext:
    """What all children share."""

    cwd: Path
    env: Mapping[str, str]
    lock_fd: int
    guard: GuardClient
    notify: Callable[[str], object]


class Child:
    """A program and its process, which is alive or waits to be restarted.

    Each process has a session of its own: Ctrl-C reaches only the supervisor, which then stops the children in order,
    and the processes that a child has started can be killed together with it.
    """

    def __init__(self, program: Program, log: ChildLog, context: ChildContext) -> None:
        self.name = program.name
        self.log = log
        self.n_deaths = 0
        self._program = program
        self._context = context
        self._process: subprocess.Popen[bytes] | None = None
        self._hang_check: HangCheck | None = None
        self._start_at = self._pause_s = 0.0
        self._started_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def check(self) -> None:
        """Start it when it is due, notice when it has died or hangs, and show its warnings from time to time."""
        if self._program.shows_warnings and (news := self.log.new_warning()):
            self._context.notify(f"{self.name}: {news}")
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self._start()
        elif (code := self._process.poll()) is not None:
            self._schedule_restart(code)
        elif self._hang_check is not None and self._hang_check.hangs():
            self._context.notify(f"{self.name} is not responding; ending it.")
            self._kill_group(self._process.pid)

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process itself, which stops those that it has started."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGTERM)

    def has_ended(self) -> bool:
        """Return whether it has ended. Does not restart it."""
        if self._process and self._process.poll() is not None:
            self._forget()
        return self._process is None

    def kill(self) -> None:
        """Kill it, and the processes that it has started."""
        if self._process:
            self._kill_group(self._process.pid)
            self._process.wait()
            self._forget()

    def _start(self) -> None:
        context, program = self._context, self._program
        self._process = subprocess.Popen(  # noqa: S603 - our own programs, never a shell
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=self.log.fileno(),
            stderr=subprocess.STDOUT,
            cwd=context.cwd,
            env={**context.env, **program.env},
            start_new_session=True,
            pass_fds=(context.lock_fd, *program.fds),
            preexec_fn=context.guard.before_exec(),  # safe: the supervisor has one thread
        )
        self._started_at = time.monotonic()
        context.guard.add_group(self._process.pid)
        if program.silent_s is not None:
            file = AliveFile.of_process(context.cwd, self.name, self._process.pid)
            file.remove()  # of a process that had the same number before the machine went down
            self._hang_check = HangCheck(file, self._process.pid, program.silent_s)

    def _schedule_restart(self, code: int) -> None:
        self.n_deaths += 1
        ran_s = time.monotonic() - self._started_at
        self._pause_s = (
            FIRST_PAUSE_S if ran_s >= STABLE_AFTER_S else min(max(self._pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        )
        self._start_at = time.monotonic() + self._pause_s
        self._forget()
        message = f"{self.name} ended ({describe_exit(code)}); restarting it in {self._pause_s:g} s."
        if code > 0 and self._pause_s > FIRST_PAUSE_S:
            # The second time in a row: it will hardly recover without help.
            message += f" The last line of {self.log.path}: {self.log.last_lines(1)}"
        self._context.notify(message)

    def _forget(self) -> None:
        if self._process:
            # The processes that it started must not run next to its successor, or hold its port.
            self._kill_group(self._process.pid)
            self._context.guard.remove_group(self._process.pid)
            if self._hang_check is not None:
                self._hang_check.file.remove()
            self._process = self._hang_check = None

    @staticmethod
    def _kill_group(group: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """Describe an exit code."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
