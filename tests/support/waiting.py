"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.deadlines import overload

STEP_S = 0.01
GIVE_UP_S = 30.0

Found = TypeVar("Found")


def until(condition: Callable[[], Found], seconds: float = GIVE_UP_S) -> Found:
    """Ask again and again; the first answer that is true."""
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < seconds * overload(), "what was waited for did not happen"
        time.sleep(STEP_S)
    return found
