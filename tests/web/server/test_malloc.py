"""What large blocks cost a server with many threads: nothing once they are free."""

import json
import subprocess
import sys

import pytest

from tests.support.deadlines import within

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MIB = 2**20
N_THREADS, BLOCK_MIB = 16, 24
CHILD = """
import json, sys, threading
from web.server.malloc import return_freed_memory

def read(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))

def use():
    block = bytearray(int(sys.argv[2]) * 2**20)
    block[::4096] = b"x" * len(block[::4096])
    all_have_one.wait()

return_freed_memory()
n_threads = int(sys.argv[1])
all_have_one = threading.Barrier(n_threads)
before = read("VmRSS")
for _ in range(3):
    threads = [threading.Thread(target=use) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(json.dumps({"peak": read("VmHWM"), "before": before, "after": read("VmRSS")}))
"""


def test_large_blocks_of_many_threads_go_back_to_the_system() -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(N_THREADS), str(BLOCK_MIB)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=within(60),
    )
    figures: dict[str, int] = json.loads(child.stdout)
    assert figures["peak"] > figures["before"] + N_THREADS * BLOCK_MIB * MIB // 2  # else this measures nothing
    assert figures["after"] < figures["before"] + 2 * BLOCK_MIB * MIB
