"""Find the instance that runs on a data directory, or start one for the time of a command."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.base.data_dir import find_data_dir
from core.operations.instance_record import InstanceRecord, read_record
from instance.base.core_errors import translate_core_errors
from instance.base.data_dir import prepare_data_dir
from instance.base.lock import is_running
from instance.base.programs import child_environment
from instance.supervisor.child_logs import rotate
from pawsort.api.errors import ClientError
from pawsort.terminal import say, warn

if TYPE_CHECKING:
    from core.base.config import Settings

START_S = 120.0
STOP_S = 20.0
POLL_S = 0.1


def find_instance(data_dir: Path) -> InstanceRecord | None:
    """Return the instance that runs on a data directory, if any. Waits for one that is starting."""
    give_up_at = time.monotonic() + START_S
    if not data_dir.is_dir():
        return None
    while is_running(data_dir) and time.monotonic() < give_up_at:
        record = read_record(data_dir)
        if record is not None:
            return record
        time.sleep(POLL_S)
    return None


def find_running(data_dir: Path) -> InstanceRecord | None:
    """Return the instance that runs on a data directory, if it has started. Waits for nothing."""
    return read_record(data_dir) if data_dir.is_dir() and is_running(data_dir) else None


def running_instance() -> InstanceRecord | None:
    """Return the instance that runs on this machine's data directory, if any.

    `pawsort.client.local_instance` finds this function by the entry point `pawsort.running_instances`.
    """
    return find_running(_data_dir())


def _data_dir() -> Path:
    data_dir = find_data_dir()
    if data_dir is not None:
        return data_dir
    with translate_core_errors():
        from core.base.config import load_settings

        return load_settings().data_dir


def find_page(settings: "Settings", address: str | None) -> str:
    """Return the address of the page for links, without a slash at its end.

    Args:
        address: The one that was given, if any. Otherwise it is PAWSORT_PUBLIC_URL, or that of the running instance.
    """
    record = None if address or settings.public_url else find_instance(settings.data_dir)
    page = address or settings.public_url or (record.address if record else "")
    if not page:
        warn(f"`pawsort up` does not run on {settings.data_dir}: put the address of your server in front of this.")
    return page.rstrip("/")


@contextmanager
def local_instance(**settings: object) -> Iterator[InstanceRecord]:
    """Yield the instance that runs on this machine's data directory, or start one for the time of the `with`.

    `pawsort.connect` finds this function by the entry point `pawsort.instances`.

    Args:
        settings: Settings of an instance that is started now, whatever is set on this machine.
    """
    data_dir = _data_dir()
    record = find_instance(data_dir)
    if record is not None:
        yield record
        return
    say("Starting Pawsort for the time of this command.")
    with started_instance(data_dir, **settings) as record:
        yield record


@contextmanager
def started_instance(data_dir: Path, **settings: object) -> Iterator[InstanceRecord]:
    """Start an instance for the time of the `with`. It also ends when this process is killed.

    Args:
        settings: Settings of the instance, whatever is set on this machine.
    Raises:
        ClientError: It did not start; with the end of its output.
    """
    prepare_data_dir(data_dir)
    log = data_dir / "logs" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    rotate(log)
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "pawsort", "up", "--data", str(data_dir), "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=child_environment() | {f"PAWSORT_{name.upper()}": str(value) for name, value in settings.items()},
            start_new_session=True,
        )
    try:
        yield _wait_until_ready(process, data_dir, log)
    finally:
        _stop(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", data_dir: Path, log: Path) -> InstanceRecord:
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at:
        record = read_record(data_dir)
        if record is not None and record.pid == process.pid:
            return record
        if process.poll() is not None:
            break
        time.sleep(POLL_S)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise ClientError("\n".join(["Pawsort did not start.", *lines[-12:], f"The whole output is in {log}."]))


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        # Its guard kills what it had started.
        process.kill()
        process.wait()
