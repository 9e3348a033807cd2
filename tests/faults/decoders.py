"""A decoder that dies, hangs, dawdles or starves over marked files, and decodes all others as the real one does.

`PAWSORT_DECODER=tests.faults.decoders:decode_image` plugs it in. JPEG ignores bytes behind its end, so a mark is
appended to a real picture.
"""

import ctypes
import os
import re
import signal
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decoding import images

KILLED = b"#pawsort-test:killed#"
EXITS = b"#pawsort-test:exits#"
SEGFAULT = b"#pawsort-test:segfault#"
TAKES_A_SECOND = b"#pawsort-test:takes-a-second#"
SLEEPS = b"#pawsort-test:sleeps#"
HOLDS_THE_GIL = b"#pawsort-test:holds-the-gil#"
NO_MEMORY = b"#pawsort-test:no-memory#"
RAISES = b"#pawsort-test:raises#"

AGES_S = 600.0


def decode_image(data: Any, side_px: int, *, max_pixels: int = images.MAX_PIXELS) -> NDArray[np.uint8]:
    """Obey the mark, if there is one; else decode."""
    raw = bytes(data)
    if KILLED in raw:
        os.kill(os.getpid(), signal.SIGKILL)
    if EXITS in raw:
        os._exit(3)
    if SEGFAULT in raw:
        ctypes.string_at(0)
    if TAKES_A_SECOND in raw:
        time.sleep(1)
    if SLEEPS in raw:
        time.sleep(AGES_S)
    if HOLDS_THE_GIL in raw:
        re.match(r"(a|aa)+$", "a" * 90 + "b")  # in C, without giving way to any other thread, for centuries
    if NO_MEMORY in raw:
        raise MemoryError
    if RAISES in raw:
        raise KeyError("a fault of the decoder")
    return images.decode_image(data, side_px, max_pixels=max_pixels)
