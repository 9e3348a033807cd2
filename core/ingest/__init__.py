"""Storing a shard: bytes into the store, then rows, labels and chunks in one transaction, then the message.

It imports `core.jobs` and what is below it. HTTP bodies are read in `web.receiving`.
"""
