import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

BUSY_S = 1.5
# Both run on one processor, each in a session of its own as processes of an instance do, until the same moment.
BUSY = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
if sys.argv[1] == "gives way":
    from worker.process.niceness import give_way
    give_way()
print("ready", flush=True)
until = float(sys.stdin.readline())
began = time.process_time()
while time.monotonic() < until:
    pass
print(time.process_time() - began)
"""


def start(says):
    return subprocess.Popen(
        [sys.executable, "-c", BUSY, says],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )


@pytest.mark.timed
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux to keep both on one processor")
def test_who_gives_way_leaves_a_processor_to_a_process_of_another_session():
    with start("gives way") as training, start("insists") as inference:
        both = training, inference
        assert [one.stdout.readline() for one in both] == ["ready\n"] * 2
        until = time.monotonic() + BUSY_S
        for one in both:
            one.stdin.write(f"{until}\n")
            one.stdin.flush()
        training_s, inference_s = (float(one.stdout.readline()) for one in both)
    assert training_s < 0.3 * inference_s
