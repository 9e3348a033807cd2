"""`pawsort up`: everything on one machine, started in order, supervised, and stopped together.

    prepare (schema, token) ─┐
    valkey, web, inference ──┴─► the page answers ─► a network is loaded ─► maintenance, training

The supervisor has one thread and imports neither the database nor TensorFlow: it must be able to start children at any
moment, and survive whatever they do. A user waits for the page and then for the first label, so the web server and the
inference worker start first; they load while the database is prepared. The other workers would take processors from
them, so they follow once a network is loaded, or a while after the page answers.
"""

import errno
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.operations.alive_file import AliveFile
from core.operations.instance_record import FILE_NAME, InstanceRecord, remove_record
from core.operations.start_gate import closed_gate
from instance.base import programs
from instance.base.data_dir import describe_access, prepare_data_dir, secret_key
from instance.base.lock import DataDirLock
from instance.base.programs import Program
from instance.supervisor import address
from instance.supervisor.child import Child, ChildContext
from instance.supervisor.child_logs import ChildLog
from instance.supervisor.guard_client import GuardClient
from instance.supervisor.prepare import AWAY, WITH_CODE, Access
from instance.supervisor.temporary_folders import create_scratch_folder, create_socket_folder
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from core.base.config import Settings

TICK_S = 0.1
STOP_S = 11.0
AWAY_PAUSE_S = 2.0
LOADING_S = 10.0  # how long the other workers wait for a network
MAX_WEB_DEATHS = 4


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `pawsort up`.

    Attributes:
        explicit_port: The user asked for exactly this port.
        until_stdin_closes: Stop together with the program that started this one and holds the other end of its stdin.
        is_on_terminal: Only a person reads what is printed, so a link that logs in may be shown.
        login_command: Prints a link to this instance.
    """

    explicit_port: bool = False
    until_stdin_closes: bool = False
    is_on_terminal: bool = False
    login_command: str = "pawsort login"


class Supervisor:
    """One run of an instance."""

    def __init__(self, settings: "Settings", options: Options, notify: Callable[[str], object]) -> None:
        self._settings = settings
        self._options = options
        self._notify = notify
        self._data_dir = settings.data_dir
        self._children: list[Child] = []
        self._n_stop_requests = 0
        self._began_at = time.monotonic()

    def run(self) -> None:
        """Start everything, supervise it until it is told to stop, stop it.

        Raises:
            ClientError: It cannot start; the message says why.
        """
        previous = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            with ExitStack() as stack:
                self._run(stack)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise ClientError(f"The disk of {self._data_dir} is full. Free disk space, and start again.") from error
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _run(self, stack: ExitStack) -> None:
        """Set up data directory, lock, port, guard and folders; prepare; supervise; clean up in reverse order."""
        prepare_data_dir(self._data_dir)
        if warning := describe_access(self._data_dir):
            self._notify(warning)
        lock = stack.enter_context(DataDirLock(self._data_dir, self._notify))
        remove_record(self._data_dir)
        listening = stack.enter_context(
            address.listen(self._settings.host, self._settings.port, self._options.explicit_port)
        )
        guard = GuardClient(lock.shared_fd)
        stack.callback(guard.close)
        settings = self._complete_settings(listening, create_socket_folder(stack, guard))
        scratch = create_scratch_folder(self._data_dir, stack, guard)
        env = {**programs.child_environment(settings), "TMPDIR": str(scratch)}
        context = ChildContext(self._data_dir, env, lock.shared_fd, guard, self._notify)
        stack.callback(self._stop)
        with closed_gate(self._data_dir):
            web = self._start_first(settings, listening, context) if _is_local(settings) else None
            access = self._prepare(context)
        if access is None:
            return
        web = web or self._start_first(settings, listening, context)
        guard.add_path(self._data_dir / FILE_NAME)
        stack.callback(remove_record, self._data_dir)
        self._supervise(settings, listening, access, context, web)

    def _complete_settings(self, listening: socket.socket, socket_folder: Path) -> "Settings":
        """Return the settings with what only this run knows: port, broker and secret key."""
        from pydantic import SecretStr

        given = self._settings
        changes: dict[str, Any] = {"port": listening.getsockname()[1]}
        if not given.redis_url:
            changes["redis_url"] = f"unix://{socket_folder / 'valkey.sock'}"
        if not given.secret_key.get_secret_value():
            changes["secret_key"] = SecretStr(secret_key(self._data_dir))
        return given.model_copy(update=changes)

    def _prepare(self, context: ChildContext) -> Access | None:
        """Run `instance.supervisor.prepare`, again and again while a server is away.

        Returns:
            How the owner gets in, or None when told to stop meanwhile.
        """
        is_notified = False
        while not self._must_stop():
            code, output, errors = self._run_prepare(context)
            if code == 0:
                return Access.parse(output)
            lines = errors.strip().splitlines() or ["The start could not be prepared."]
            sentence = lines[-1].removeprefix("Error: ")
            if code != AWAY and not self._n_stop_requests:
                raise ClientError(sentence)
            if not is_notified and not self._n_stop_requests:
                self._notify(f"{sentence} Waiting for it.")
            is_notified = True
            self._pause(AWAY_PAUSE_S)
        return None

    def _run_prepare(self, context: ChildContext) -> tuple[int, str, str]:
        """Run it once. Returns its exit code, output and errors."""
        options = [WITH_CODE] if self._options.is_on_terminal else []
        with subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "instance.supervisor.prepare", *options],
            cwd=context.cwd,
            env=context.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(context.lock_fd,),
            preexec_fn=context.guard.before_exec(),  # safe: there is one thread
            start_new_session=True,
        ) as process:
            while process.poll() is None and not self._must_stop():
                time.sleep(TICK_S / 4)
            if process.returncode is None:
                process.kill()
            output, errors = process.communicate()
            context.guard.remove_group(process.pid)
            return process.returncode, output, errors

    def _pause(self, seconds: float) -> None:
        end_at = time.monotonic() + seconds
        while time.monotonic() < end_at and not self._must_stop():
            time.sleep(TICK_S)

    def _start_first(self, settings: "Settings", listening: socket.socket, context: ChildContext) -> Child:
        """Start Valkey, web server and inference worker. Returns the web server."""
        if not self._settings.redis_url:
            self._add(programs.valkey(Path(settings.redis_url.removeprefix("unix://"))), context)
        web = self._add(programs.web(settings, listening.fileno()), context)
        self._add(programs.worker("inference", settings), context)
        self._check_children()
        return web

    def _supervise(
        self, settings: "Settings", listening: socket.socket, access: Access, context: ChildContext, web: Child
    ) -> None:
        """Announce the page once it answers, and start the other workers later. Restart what ends."""
        is_ready, waiting, wait_until = False, ["maintenance", "training"], math.inf
        while not self._must_stop():
            if not is_ready and address.answers(listening, settings.host):
                is_ready, wait_until = True, time.monotonic() + LOADING_S
                self._announce(settings, listening, access)
            while waiting and is_ready and (self._has_network() or time.monotonic() > wait_until):
                self._add(programs.worker(waiting.pop(0), settings), context)
            if not is_ready and web.n_deaths >= MAX_WEB_DEATHS:
                raise ClientError(
                    f"The web server cannot be started. The end of {web.log.path}:\n{web.log.last_lines()}"
                )
            self._check_children()
            context.guard.restart_if_dead()
            time.sleep(TICK_S)

    def _has_network(self) -> bool:
        """Whether an inference worker of this run has loaded its network."""
        return AliveFile(self._data_dir, "inference").is_fresh(time.monotonic() - self._began_at)

    def _add(self, program: Program, context: ChildContext) -> Child:
        logs = self._data_dir / "logs"
        logs.mkdir(exist_ok=True, mode=0o700)
        child = Child(program, ChildLog(logs / f"{program.name}.log"), context)
        self._children.append(child)
        return child

    def _check_children(self) -> None:
        for child in self._children:
            child.check()

    def _announce(self, settings: "Settings", listening: socket.socket, access: Access) -> None:
        page = address.url(listening, settings.host)
        token, pid = access.token, os.getpid()
        record = InstanceRecord(page, token, pid, settings.redis_url, settings.sql_url, settings.store_url)
        record.write(self._data_dir)
        self._notify(ready_sentence(page, access.login_code, self._options.login_command))
        self._notify(f"Everything is kept in {self._data_dir}. Ctrl-C stops it.")

    def _stop(self) -> None:
        """Stop all children but Valkey, then Valkey. Kill those that do not end in time, or after a second signal."""
        self._notify("Stopping.")
        n_requests = self._n_stop_requests
        give_up_at = time.monotonic() + STOP_S
        for group in self._in_stop_order():
            for child in group:
                child.ask_to_stop()
            while any(not child.has_ended() for child in group):
                if time.monotonic() > give_up_at or self._n_stop_requests > n_requests:
                    break
                time.sleep(TICK_S / 2)
            for child in group:
                child.kill()
        for child in self._children:
            child.log.close()

    def _in_stop_order(self) -> tuple[Sequence[Child], Sequence[Child]]:
        """Valkey last: workers that stop still talk to it."""
        valkey = [child for child in self._children if child.name == "valkey"]
        return [child for child in self._children if child not in valkey], valkey

    def _must_stop(self) -> bool:
        if self._options.until_stdin_closes and not self._n_stop_requests:
            readable, _, _ = select.select([sys.stdin], [], [], 0)
            if readable and not os.read(sys.stdin.fileno(), 1):
                self._n_stop_requests = 1
        return self._n_stop_requests > 0

    def _on_signal(self, number: int, frame: object) -> None:
        self._n_stop_requests += 1


def _is_local(settings: "Settings") -> bool:
    """Whether database and store are on this machine, so that they can be prepared without waiting for anything."""
    return settings.sql_url.startswith("sqlite:") and settings.store_url.startswith("file:")


def ready_sentence(page: str, login_code: str | None, login_command: str) -> str:
    """Where the page is, and how to get in. A code is for a terminal only, never for a file that others may read."""
    if login_code is None:
        return f"Pawsort is ready: {page}\nTo log in, run `{login_command}`, which prints a link."
    link = address.login_link(page, login_code)
    return (
        f"Pawsort is ready: {link}\nThe link logs you in once, within 10 minutes. `{login_command}` prints another one."
    )
