"""`pawsort up`: the data directory, its lock, and the processes that are started, supervised and stopped together.

It imports `instance.base`.
"""
