"""File formats of uploads: tars and shards, zips, and the first bytes of image files.

It imports `core.base` alone. Pixels are made in `core.decoding`, rows in `core.ingest`.
"""
