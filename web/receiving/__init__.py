"""Request bodies as streams: counted, limited, archives unpacked into shards. For API and pages alike.

It imports `web.http`; storing is `core.ingest`.
"""
