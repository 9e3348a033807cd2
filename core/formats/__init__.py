"""File formats that come in: tars and shards, zips, and what the first bytes of a file say.

It imports `core.base` alone. Pixels are made in `core.decoding`, rows in `core.ingest`.
"""
