"""How malloc treats large blocks in a server with many threads."""

import ctypes

# malloc.h of glibc
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 2 * 2**20  # more than a piece of a body, less than most photographs


def return_freed_memory() -> None:
    """Return large blocks to the operating system as soon as they are free.

    By default, glibc keeps blocks of up to 32 MiB in one heap per thread: after a few large uploads the server
    holds gigabytes for good. Workers keep the default, because the network reuses its blocks.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library, without this behaviour
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE_BYTES)


def trim_memory() -> None:
    """Return free pages of all heaps to the operating system: small blocks of a large request lie far apart."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(0)
