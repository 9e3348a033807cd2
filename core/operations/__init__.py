"""Operating an installation: workers, metrics, status, logs, and moving it to other servers.

It imports `core.base`, `core.orm`, `core.storage` and `core.messaging`.
"""
