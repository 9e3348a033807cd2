"""Uploading files: which ones count, packing them into shards, sending those, progress bars.

It imports `pawsort.operations` and what is below it.
"""
