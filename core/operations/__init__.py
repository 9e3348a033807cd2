"""Operating an installation: workers, metrics, status, logs, pauses, backups, and moving it to other servers.

It imports `core.accounts` and what is below it.
"""
