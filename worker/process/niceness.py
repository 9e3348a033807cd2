"""Low CPU priority for training, so that inference, which users wait for, comes first."""

import os
from pathlib import Path

NICENESS = 10  # about a tenth of a busy processor, so a training makes progress even during endless jobs
_AUTOGROUP = Path("/proc/self/autogroup")


def lower_priority() -> None:
    """Give other processes priority from now on.

    Linux shares the processors out between sessions first (sched_autogroup, sched(7)), and niceness counts within one
    only. Each process of an instance has a session of its own, so the session gets the niceness too. Inside a container
    neither affects other containers; there `cpu_shares` does it.
    """
    os.nice(NICENESS)
    try:
        _AUTOGROUP.write_text(f"{NICENESS}\n")
    except OSError:  # not Linux, or without autogroups
        return
