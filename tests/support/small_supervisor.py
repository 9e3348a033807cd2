"""A supervisor of two small programs, for tests that kill it: `python -m tests.support.small_supervisor FOLDER`.

Each program starts a process of its own, as Celery and gunicorn do, and both write down their numbers.
"""

import sys
import time
from pathlib import Path

from instance.base.lock import DataDirLock
from instance.base.programs import Program, child_environment
from instance.supervisor.child import Child, ChildContext
from instance.supervisor.child_logs import ChildLog
from instance.supervisor.guard_client import GuardClient

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
        guard = GuardClient(lock.shared_fd)
        guard.add_path(private)
        context = ChildContext(folder, child_environment(), lock.shared_fd, guard, print)
        children = [make_family(folder, name, context) for name in ("one", "two")]
        (folder / "guard.pid").write_text(str(guard.pid))
        while True:
            for child in children:
                child.check()
            guard.restart_if_dead()
            (folder / "guard.pid").write_text(str(guard.pid))
            time.sleep(0.05)


def make_family(folder: Path, name: str, context: ChildContext) -> Child:
    """A program that starts another one."""
    program = Program(name, [sys.executable, "-c", FAMILY, str(folder / f"{name}.pids")])
    return Child(program, ChildLog(folder / f"{name}.log"), context)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
