"""A decoder for tests: it obeys marks inside a file, and decodes every other file as the real one does.

Plugged in by its dotted path, `tests.support.marked_decoder:decode`. JPEG ignores bytes behind its end, so a mark
can be appended to a real picture.
"""

import os
import re
import signal
import time
from typing import Any

import numpy as np

from core.decoding import images
from core.decoding.decoded import Decoded
from core.decoding.limits import MAX_PIXELS

DIE = b"#pawsort-test:die#"  # the decoder crashes
HANG = b"#pawsort-test:hang#"  # it never returns
EAT = b"#pawsort-test:eat#"  # it takes all memory there is
TALK = b"#pawsort-test:talk#"  # it prints to standard output
RAISE = b"#pawsort-test:raise#"  # it raises what no decoder should
DIE_ONCE = b"#pawsort-test:die-once#"  # it crashes unless this is the first file of its process
HOLD_THE_GIL = b"#pawsort-test:hold-the-gil#"  # it computes in C, without giving way to any other thread, for centuries

_n_decoded = 0


def decode(data: Any, side_px: int, *, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Obey the mark, if there is one, then decode."""
    global _n_decoded
    raw = bytes(data)
    if DIE in raw or (DIE_ONCE in raw and _n_decoded):
        os.kill(os.getpid(), signal.SIGKILL)
    if HANG in raw:
        time.sleep(3600)
    if HOLD_THE_GIL in raw:
        re.match(r"(a|aa)+$", "a" * 90 + "b")
    if EAT in raw:
        np.ones(2**37, np.uint8)
    if TALK in raw:
        os.write(1, b"a decoder's chatter" * 1000)
    if RAISE in raw:
        raise KeyError("a fault of the decoder")
    decoded = images.decode(data, side_px, max_pixels=max_pixels)
    _n_decoded += 1
    return decoded


def count_secrets(data: Any, side_px: int, *, max_pixels: int) -> Decoded:
    """A picture that shows how many variables of the environment a decoder has no business with."""
    found = [name for name in os.environ if name.startswith(("PAWSORT_", "AWS_"))]
    return Decoded(np.full((side_px, side_px, 3), len(found), np.uint8))
