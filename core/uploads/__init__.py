"""Uploads: what people send, from the first shard to completion.

It imports the tables and what is below them. A shard's rows are written by `core.ingest`.
"""
