import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.paths import ROOT

BUSY_S = 0.5
# Both share one processor, each in its own session as in an instance, until the first has used its processor time.
BUSY = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
if sys.argv[1] == "gives way":
    from worker.process.niceness import lower_priority
    lower_priority()
print("ready", flush=True)
sys.stdin.readline()
until = time.process_time() + float(sys.argv[2])
while time.process_time() < until:
    pass
print("done", flush=True)
"""


@contextmanager
def busy(says: str, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """A process that waits for a line on its input, then uses that many seconds of processor time."""
    command = [sys.executable, "-c", BUSY, says, str(seconds)]
    root = ROOT
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def worked_s(process: "subprocess.Popen[str]") -> float:
    """Processor time that it has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux to keep both on one processor")
def test_who_gives_way_leaves_a_processor_to_a_process_of_another_session() -> None:
    with busy("insists", BUSY_S) as inference, busy("gives way", 3600) as training:
        before_s = worked_s(training)
        begin(inference)
        begin(training)
        assert inference.stdout is not None
        assert inference.stdout.readline() == "done\n"
        training_s = worked_s(training) - before_s
    assert 0 < training_s < 0.3 * BUSY_S
