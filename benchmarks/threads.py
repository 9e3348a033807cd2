"""One thread for NumPy, as workers run: threads that wait count as CPU time, too."""

import os
import sys


def use_one_thread() -> None:
    """Start the program again with one thread, unless it has one."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, sys.orig_argv)
