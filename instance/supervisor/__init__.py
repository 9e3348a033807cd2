"""`pawsort up`: the data directory, its lock, and the processes that are started, supervised and stopped together.

It imports `core` and the client's errors.
"""
