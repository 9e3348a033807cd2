"""`pawsort up`: everything on one machine, started in its order, watched, and ended together.

    prepare (schema, token) ─► valkey, web ─► the page answers ─► maintenance, inference, training

The supervisor has one thread and imports neither the database nor the network: it must start children at any moment
and outlive whatever they do. The web comes first because somebody is waiting for the page; workers take their time.
"""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instance.supervisor import address, programs
from instance.supervisor.child import Child, Program, Surroundings
from instance.supervisor.child_logs import ChildLog
from instance.supervisor.guard_client import Guarding
from instance.supervisor.lock import DataDirLock
from instance.supervisor.prepare import prepare_data_dir, secret_key
from instance.supervisor.record import FILE_NAME, InstanceRecord, remove_record
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from core.base.config import Settings

TICK_S = 0.1
STOP_S = 11.0
WEB_DEATHS = 4


@dataclass(frozen=True, slots=True)
class Options:
    """How `up` was called.

    Attributes:
        explicit_port: Somebody asked for this very port.
        until_stdin_closes: Ends with the program that started it, which holds the other end of its standard input.
    """

    explicit_port: bool = False
    until_stdin_closes: bool = False


class Supervisor:
    """One run of an instance."""

    def __init__(self, settings: "Settings", options: Options, say: Callable[[str], object]) -> None:
        self._settings = settings
        self._options = options
        self._say = say
        self._data_dir = settings.data_dir
        self._children: list[Child] = []
        self._stopping = 0

    def run(self) -> None:
        """Start everything, watch it until somebody says stop, end it.

        Raises:
            ClientError: It cannot start; the sentence says why.
        """
        previous = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            with ExitStack() as stack:
                self._run(stack)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _run(self, stack: ExitStack) -> None:
        prepare_data_dir(self._data_dir)
        lock = stack.enter_context(DataDirLock(self._data_dir, self._say))
        remove_record(self._data_dir)
        listening = stack.enter_context(
            address.listen(self._settings.host, self._settings.port, self._options.explicit_port)
        )
        guarding = Guarding(lock.shared_fd)
        stack.callback(guarding.close)
        settings = self._complete(listening, self._folder_for_sockets(stack, guarding))
        environment = {**programs.child_environment(settings), "TMPDIR": str(self._scratch(stack, guarding))}
        around = Surroundings(self._data_dir, environment, lock.shared_fd, guarding, self._say)
        token = self._prepare(around)
        if token is None:
            return
        stack.callback(self._stop)
        guarding.removes(self._data_dir / FILE_NAME)
        stack.callback(remove_record, self._data_dir)
        self._watch(settings, listening, token, around)

    def _complete(self, listening: socket.socket, folder: Path) -> "Settings":
        """The settings with what only this run knows."""
        from pydantic import SecretStr

        given = self._settings
        changes: dict[str, Any] = {"port": listening.getsockname()[1]}
        if not given.redis_url:
            changes["redis_url"] = f"unix://{folder / 'valkey.sock'}"
        if not given.secret_key.get_secret_value():
            changes["secret_key"] = SecretStr(secret_key(self._data_dir))
        return given.model_copy(update=changes)

    def _folder_for_sockets(self, stack: ExitStack, guarding: Guarding) -> Path:
        """A short one: addresses of sockets end at 108 bytes, on macOS at 104."""
        base = tempfile.gettempdir()
        folder = Path(tempfile.mkdtemp(prefix="pawsort-", dir=base if len(base) < 60 else "/tmp"))  # noqa: S108
        self._remove_at_the_end(folder, stack, guarding)
        return folder

    def _scratch(self, stack: ExitStack, guarding: Guarding) -> Path:
        """Where children put temporary files: what those that are killed leave behind goes when the instance ends.

        Not below /tmp, where the system removes folders that nothing was written to for some days.
        """
        folder = self._data_dir / "tmp"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        self._remove_at_the_end(folder, stack, guarding)
        return folder

    def _remove_at_the_end(self, folder: Path, stack: ExitStack, guarding: Guarding) -> None:
        guarding.removes(folder)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)

    def _prepare(self, around: Surroundings) -> str | None:
        """Run what comes before the start; returns the owner's token, or None when told to stop meanwhile."""
        with subprocess.Popen(
            [sys.executable, "-m", "instance.supervisor.prepare"],
            cwd=around.cwd,
            env=around.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(around.lock_fd,),
            preexec_fn=around.guarding.before_exec(),  # safe: there is one thread
            start_new_session=True,
        ) as process:
            while process.poll() is None and not self._must_stop():
                time.sleep(TICK_S / 4)
            if process.returncode is None:
                process.kill()
            printed, complaint = process.communicate()
            around.guarding.ended(process.pid)
        if self._stopping:
            return None
        if process.returncode != 0:
            raise ClientError(
                (complaint.strip().splitlines() or ["The start could not be prepared."])[-1].removeprefix("Error: ")
            )
        return printed.strip()

    def _watch(self, settings: "Settings", listening: socket.socket, token: str, around: Surroundings) -> None:
        if not self._settings.redis_url:
            self._add(programs.valkey(Path(settings.redis_url.removeprefix("unix://"))), around)
        web = self._add(programs.web(settings, listening.fileno()), around)
        self._tend()
        ready = False
        while not self._must_stop():
            if not ready and address.answers(listening, settings.host):
                ready = True
                self._announce(settings, listening, token)
                for program in programs.workers(settings):
                    self._add(program, around)
            if not ready and web.deaths >= WEB_DEATHS:
                raise ClientError(
                    f"The web server cannot be started. The end of {web.log.path}:\n{web.log.last_lines()}"
                )
            self._tend()
            around.guarding.check()
            time.sleep(TICK_S)

    def _add(self, program: Program, around: Surroundings) -> Child:
        logs = self._data_dir / "logs"
        logs.mkdir(exist_ok=True, mode=0o700)
        child = Child(program, ChildLog(logs / f"{program.name}.log"), around)
        self._children.append(child)
        return child

    def _tend(self) -> None:
        for child in self._children:
            child.tend()

    def _announce(self, settings: "Settings", listening: socket.socket, token: str) -> None:
        page = address.url(listening, settings.host)
        record = InstanceRecord(page, token, os.getpid(), settings.redis_url, settings.sql_url, settings.store_url)
        record.write(self._data_dir)
        # A log file may be read by others later; a terminal is its owner's.
        shown = page if self._options.until_stdin_closes else f"{page}/login?token={token}"
        self._say(f"Pawsort is ready: {shown}\nEverything is kept in {self._data_dir}. Ctrl-C stops it.")

    def _stop(self) -> None:
        """Ask all but Valkey to end; then Valkey; kill what has not ended in time or after a second signal."""
        self._say("Stopping.")
        asked = self._stopping
        give_up_at = time.monotonic() + STOP_S
        valkey = [child for child in self._children if child.name == "valkey"]
        others = [child for child in self._children if child.name != "valkey"]
        for together in (others, valkey):
            for child in together:
                child.ask_to_stop()
            while any(not child.has_ended() for child in together):
                if time.monotonic() > give_up_at or self._stopping > asked:
                    break
                time.sleep(TICK_S / 2)
            for child in together:
                child.kill()
        for child in self._children:
            child.log.close()

    def _must_stop(self) -> bool:
        if self._options.until_stdin_closes and not self._stopping:
            readable, _, _ = select.select([sys.stdin], [], [], 0)
            if readable and not os.read(sys.stdin.fileno(), 1):
                self._stopping = 1
        return self._stopping > 0

    def _on_signal(self, number: int, frame: object) -> None:
        self._stopping += 1
