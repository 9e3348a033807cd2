"""The start gate: closed while the database is prepared, open for everybody else."""

import subprocess
import sys
from pathlib import Path

from core.operations.start_gate import closed_gate, wait_until_open
from tests.support.deadlines import within
from tests.support.waiting import until

WAIT = "from pathlib import Path; from core.operations.start_gate import wait_until_open; "
WAIT += "print('loaded', flush=True); wait_until_open(Path({!r})); print('through')"


def test_a_program_waits_until_the_gate_opens(tmp_path: Path) -> None:
    with closed_gate(tmp_path):
        program = subprocess.Popen([sys.executable, "-c", WAIT.format(str(tmp_path))], stdout=subprocess.PIPE)
        assert program.stdout is not None
        assert program.stdout.readline() == b"loaded\n"
        until(lambda: _waits(program.pid), 10, "it to wait for the lock")
    assert program.communicate(timeout=within(10)) == (b"through\n", None)


def _waits(pid: int) -> bool:
    """Whether a process waits for a file lock (proc(5), /proc/locks)."""
    return any("->" in line and f" {pid} " in line for line in Path("/proc/locks").read_text().splitlines())


def test_there_is_no_waiting_where_nothing_closed_it(tmp_path: Path) -> None:
    wait_until_open(tmp_path)
    with closed_gate(tmp_path):
        pass
    wait_until_open(tmp_path)
