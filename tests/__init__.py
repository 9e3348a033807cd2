"""The tests. Sets what must be set before anything is imported.

When tests run in parallel, TensorFlow gets one thread: two threads wait for each other at every step, and on a busy
machine each of these waits lasts until the other thread is scheduled.
"""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
