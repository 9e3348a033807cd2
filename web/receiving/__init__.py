"""Uploads as streams, for API and pages: request bodies with limits, shards, archives, corrections.

It imports `core`, `web.http` and `web.server`. Storing is the work of `core.ingest`.
"""
