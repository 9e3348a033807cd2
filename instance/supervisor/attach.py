"""Finding the instance on a data directory, and starting one for the time of a command."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from instance.supervisor.child_logs import rotate
from instance.supervisor.error_messages import sentences
from instance.supervisor.lock import is_running
from instance.supervisor.prepare import prepare_data_dir
from instance.supervisor.programs import child_environment
from instance.supervisor.record import InstanceRecord, read_record
from pawsort.api.errors import ClientError

START_S = 120.0
END_S = 20.0
POLL_S = 0.1


def find_instance(data_dir: Path) -> InstanceRecord | None:
    """The instance that runs on a data directory; one that is just starting is waited for."""
    give_up_at = time.monotonic() + START_S
    if not data_dir.is_dir():
        return None
    while is_running(data_dir) and time.monotonic() < give_up_at:
        record = read_record(data_dir)
        if record is not None:
            return record
        time.sleep(POLL_S)
    return None


@contextmanager
def local_instance(say: Callable[[str], object], **settings: object) -> Iterator[InstanceRecord]:
    """The instance that runs on this machine's data directory, or one that is started for the time of the `with`.

    `pawsort.connect` finds this function by the entry point `pawsort.instances`.

    Args:
        settings: What an instance that is started now gets, whatever is set for this machine.
    """
    with sentences():
        from core.base.config import load_settings

        data_dir = load_settings().data_dir
    record = find_instance(data_dir)
    if record is not None:
        yield record
        return
    with started_instance(data_dir, say, **settings) as record:
        yield record


@contextmanager
def started_instance(data_dir: Path, say: Callable[[str], object], **settings: object) -> Iterator[InstanceRecord]:
    """An instance for the time of the `with`. It also ends when this process dies, however that happens.

    Args:
        settings: What it shall have, whatever is set for this machine.
    Raises:
        ClientError: It did not start; with what it said.
    """
    prepare_data_dir(data_dir)
    log = data_dir / "logs" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    rotate(log)
    say("Starting Pawsort for the time of this command.")
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
        _end(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", data_dir: Path, log: Path) -> InstanceRecord:
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at:
        record = read_record(data_dir)
        if record is not None and record.pid == process.pid:
            return record
        if process.poll() is not None:
            break
        time.sleep(POLL_S)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise ClientError("\n".join(["Pawsort did not start.", *said[-12:], f"All of it is in {log.parent}."]))


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        # Its guard ends what it had started.
        process.kill()
        process.wait()
