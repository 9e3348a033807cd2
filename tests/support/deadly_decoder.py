"""A decoder that dies, hangs, waits or starves over marked files, and decodes all others as the real one does.

`PAWSORT_DECODER=tests.support.deadly_decoder:decode` plugs it in. JPEG ignores bytes behind its end, so a mark is
appended to a real picture.
"""

import ctypes
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

from core.decoding import images
from core.decoding.decoded import Decoded
from core.decoding.limits import MAX_PIXELS

KILLED = b"#pawsort-test:killed#"
EXITS = b"#pawsort-test:exits#"
SEGFAULT = b"#pawsort-test:segfault#"
HELD = b"#pawsort-test:held#"
SLEEPS = b"#pawsort-test:sleeps#"
HOLDS_THE_GIL = b"#pawsort-test:holds-the-gil#"
NO_MEMORY = b"#pawsort-test:no-memory#"
RAISES = b"#pawsort-test:raises#"

AGES_S = 600.0
HOLD = Path("hold")  # in the data directory, where workers run: while it is there, what is marked HELD waits
HOLD_POLL_S = 0.02
MAX_HOLD_S = 30.0  # less than a worker waits for a decoder that sleeps


def decode(data: Any, side_px: int, *, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Obey the mark, if there is one; else decode."""
    raw = bytes(data)
    if KILLED in raw:
        os.kill(os.getpid(), signal.SIGKILL)
    if EXITS in raw:
        os._exit(3)
    if SEGFAULT in raw:
        ctypes.string_at(0)
    if HELD in raw:
        _wait_while_held()
    if SLEEPS in raw:
        time.sleep(AGES_S)
    if HOLDS_THE_GIL in raw:
        re.match(r"(a|aa)+$", "a" * 90 + "b")  # in C, without giving way to any other thread, for centuries
    if NO_MEMORY in raw:
        raise MemoryError
    if RAISES in raw:
        raise KeyError("a fault of the decoder")
    return images.decode(data, side_px, max_pixels=max_pixels)


def _wait_while_held() -> None:
    """The test says when to go on; a decoder may look whether a file exists, but not open it."""
    give_up_at = time.monotonic() + MAX_HOLD_S
    while HOLD.exists() and time.monotonic() < give_up_at:
        time.sleep(HOLD_POLL_S)
