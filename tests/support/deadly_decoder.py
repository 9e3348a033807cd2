"""A decoder that dies, hangs, waits or starves over marked files, and decodes all others as the real one does.

`PAWSORT_DECODER=tests.support.deadly_decoder:decode_image` plugs it in. JPEG ignores bytes behind its end, so a mark is
appended to a real picture.
"""

import ctypes
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decoding import images
from core.decoding.decoder_process import disarm_decode_deadline

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
HOLD_IN_CHILD_S = 2.0  # a worker gives a child of its own only its time limit for each image


def decode_image(data: Any, side_px: int, *, max_pixels: int = images.MAX_PIXELS) -> NDArray[np.uint8]:
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
    return images.decode_image(data, side_px, max_pixels=max_pixels)


def _wait_while_held() -> None:
    """However long that is: the test says when to go on, whatever time it needs until then."""
    if not HOLD.exists():
        return
    in_child = "PAWSORT_DATA_DIR" not in os.environ  # core/decoding/decoder_process.py keeps it from them
    give_up_at = time.monotonic() + (HOLD_IN_CHILD_S if in_child else AGES_S)
    disarm_decode_deadline()
    while HOLD.exists() and time.monotonic() < give_up_at:
        time.sleep(HOLD_POLL_S)
