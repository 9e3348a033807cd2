"""Uploads as streams, for API and pages: request bodies with limits, shards, archives, corrections.

It imports `core` and `web.http`. Storing is the work of `core.ingest`.
"""
