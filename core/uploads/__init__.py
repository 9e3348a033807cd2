"""Uploads and their shards, from the first one to completion, and quotas.

It imports `core.accounts` and what is below it. A shard's rows are written by `core.ingest`.
"""
