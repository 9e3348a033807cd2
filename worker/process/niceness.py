"""How a training leaves the processors to inference, which somebody waits for."""

import os
from pathlib import Path

NICENESS = 10  # about a tenth of a processor that others want, so that a training goes on beside endless jobs
_AUTOGROUP = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let other processes go first, from now on.

    Linux shares the processors out between sessions first (sched_autogroup, sched(7)), and niceness counts within one
    only; each process of an instance has a session of its own, so that the session is made nice as well. Inside a
    container neither reaches the others: there `cpu_shares` does it.
    """
    os.nice(NICENESS)
    try:
        _AUTOGROUP.write_text(f"{NICENESS}\n")
    except OSError:  # no Linux, or none that groups by session
        return
