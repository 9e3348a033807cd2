"""A supervisor of two small programs, for tests that kill it: `python -m tests.client.small_supervisor FOLDER`.

Each program starts a process of its own, as Celery and gunicorn do, and both write down their numbers.
"""

import sys
import time
from pathlib import Path

from instance.supervisor.child import Child, Program, Surroundings
from instance.supervisor.child_logs import ChildLog
from instance.supervisor.guard_client import Guarding
from instance.supervisor.lock import DataDirLock
from instance.supervisor.programs import child_environment

FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.replace(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""


def main(folder: Path) -> None:
    """Run two families and a private folder until somebody ends this process."""
    private = folder / "private"
    private.mkdir()
    with DataDirLock(folder, print) as lock:
        guarding = Guarding(lock.shared_fd)
        guarding.removes(private)
        around = Surroundings(folder, child_environment(), lock.shared_fd, guarding, print)
        children = [make_family(folder, name, around) for name in ("one", "two")]
        (folder / "guard.pid").write_text(str(guarding.pid))
        while True:
            for child in children:
                child.tend()
            guarding.check()
            (folder / "guard.pid").write_text(str(guarding.pid))
            time.sleep(0.05)


def make_family(folder: Path, name: str, around: Surroundings) -> Child:
    """A program that starts another one."""
    program = Program(name, [sys.executable, "-c", FAMILY, str(folder / f"{name}.pids")])
    return Child(program, ChildLog(folder / f"{name}.log"), around)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
