"""Sending files: which ones count, packing them into shards, uploading, progress bars.

It imports `pawsort.api`.
"""
