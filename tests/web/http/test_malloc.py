"""What large pictures cost a server with many threads: one of them at a time, and nothing afterwards."""

import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from tests.support.deadlines import within

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SIDE_PX = 5000
MIB = 2**20
CHILD = """
import json, sys, threading
from core.decoding.images import make_thumbnail
from web.http.malloc import return_freed_memory

def read(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))

return_freed_memory()
data = sys.stdin.buffer.read()
make_thumbnail(data, 128, max_pixels=10**9)
before = read("VmRSS")
threads = [threading.Thread(target=make_thumbnail, args=(data, 1024)) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"peak": read("VmHWM"), "before": before, "after": read("VmRSS")}))
"""


def measure(picture: bytes, n_threads: int) -> dict[str, int]:
    """Bytes of memory that a fresh process takes for thumbnails in so many threads."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(n_threads)],
        input=picture,
        stdout=subprocess.PIPE,
        check=True,
        timeout=within(120),
    )
    figures: dict[str, int] = json.loads(child.stdout)
    return figures


def test_many_large_pictures_at_once_take_the_memory_of_one() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (SIDE_PX, SIDE_PX), (10, 200, 30, 128)).save(file, "PNG")
    one, four = measure(file.getvalue(), 1), measure(file.getvalue(), 4)
    needed = SIDE_PX * SIDE_PX * 4
    assert one["peak"] > needed  # else this measures nothing
    assert four["peak"] < one["peak"] + needed // 2
    assert four["after"] < one["before"] + 100 * MIB
