"""How long a test waits before it gives up: every deadline grows with what else the machine has to do."""

import os


def overload() -> float:
    """By how much deadlines grow: 1.0 unless more than two programs want each core."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2)


def within(seconds: float) -> float:
    """So many seconds of a quiet machine, on the machine as it is now."""
    return seconds * overload()


def within_ms(ms: float) -> float:
    """The same in milliseconds, as Playwright counts."""
    return within(ms)
