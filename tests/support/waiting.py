"""Waiting for what another thread or process does: asked for again and again, until a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.deadlines import within

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 0.2  # asking takes time from what is waited for
GROWS_BY = 1.25
GIVE_UP_S = 30.0

Found = TypeVar("Found")


def until(
    condition: Callable[[], Found | None],
    seconds: float = GIVE_UP_S,
    what: str = "what did not happen",
    explain: Callable[[], str] = str,
) -> Found:
    """Ask again and again; the first answer that is true.

    Args:
        seconds: On a quiet machine; how loaded this one is may change meanwhile.
        what: Said when there is no answer in time, and what `explain` gives.
    """
    began_at, pause_s = time.monotonic(), FIRST_PAUSE_S
    while not (found := condition()):
        waited_s = time.monotonic() - began_at
        assert waited_s < within(seconds), f"waited {waited_s:.0f} s for {what}\n{explain()}"
        time.sleep(pause_s)
        pause_s = min(pause_s * GROWS_BY, LONGEST_PAUSE_S)
    return found
