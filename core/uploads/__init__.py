"""Uploads and their shards, from the first one to completion.

It imports the tables and what is below them. A shard's rows are written by `core.ingest`.
"""
