"""A decoder for tests: it obeys marks inside a file, and decodes every other file as the real one does.

Plugged in by its dotted path, `tests.support.marked_decoder:decode_image`. JPEG ignores bytes behind its end, so a mark
can be appended to a real picture.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.decoding import images

DIE = b"#pawsort-test:die#"  # the decoder crashes
HANG = b"#pawsort-test:hang#"  # it never returns
EAT = b"#pawsort-test:eat#"  # it takes all memory there is
TALK = b"#pawsort-test:talk#"  # it prints to standard output
RAISE = b"#pawsort-test:raise#"  # it raises what no decoder should
DIE_ONCE = b"#pawsort-test:die-once:"  # it crashes unless the file named behind the mark exists, and makes it


def decode_image(data: Any, side_px: int, *, max_pixels: int = images.MAX_PIXELS) -> NDArray[np.uint8]:
    """Obey the mark, if there is one, then decode."""
    raw = bytes(data)
    if DIE in raw:
        os.kill(os.getpid(), signal.SIGKILL)
    if HANG in raw:
        time.sleep(3600)
    if EAT in raw:
        np.ones(2**37, np.uint8)
    if TALK in raw:
        os.write(1, b"a decoder's chatter" * 1000)
    if RAISE in raw:
        raise KeyError("a fault of the decoder")
    if DIE_ONCE in raw:
        _die_unless(Path(raw.split(DIE_ONCE)[1].split(b"#")[0].decode()))
    return images.decode_image(data, side_px, max_pixels=max_pixels)


def count_secrets(data: Any, side_px: int, *, max_pixels: int) -> NDArray[np.uint8]:
    """A picture that tells how many variables of the environment a decoder has no business with."""
    found = [name for name in os.environ if name.startswith(("PAWSORT_", "AWS_"))]
    return np.full((side_px, side_px, 3), len(found), np.uint8)


def _die_unless(made: Path) -> None:
    if not made.exists():
        made.touch()
        os.kill(os.getpid(), signal.SIGKILL)
