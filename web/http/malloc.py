"""How malloc treats large blocks in a server with many threads."""

import ctypes

# malloc.h of glibc
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 4 * 2**20


def give_memory_back() -> None:
    """Return large blocks to the system as soon as they are free.

    Left alone, glibc keeps blocks of up to 32 MiB in a heap for each thread: a few large thumbnails, and the server
    holds gigabytes for good. Workers stay as they are: the network uses its blocks again and again.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library, which does not behave like that
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_M_TRIM_THRESHOLD, 4 * _LARGE_BYTES)
