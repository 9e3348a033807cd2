"""The tests, with what has to be set before anything is imported.

Beside others a network has one thread: of two, each waits at every step until the other one has got a processor.
"""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
