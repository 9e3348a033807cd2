"""`pawsort up`: the data directory, its lock, and the processes that are started, watched and ended together.

It imports `core` and the client's errors.
"""
