"""When a delivery is tried again."""

import random

from core.base.clock import DAY_S

# Source: the recommended schedule of Svix (docs.svix.com/retries), which gives a receiver about three days.
PAUSES_S = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
JITTER = 0.1  # so that what failed together does not come back together
LONGEST_S = max(PAUSES_S) * (1 + JITTER)
GONE = 410
GIVE_UP_S = 5 * DAY_S  # an endpoint that has failed for this long is turned off


def pause_s(n_tried: int, asked_s: float | None) -> float | None:
    """How long to wait after this many attempts that failed; None if it was the last one.

    Args:
        asked_s: What the receiver asked for (Retry-After).
    """
    if n_tried > len(PAUSES_S):
        return None
    usual_s = PAUSES_S[n_tried - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return min(max(usual_s, asked_s or 0.0), LONGEST_S)
