"""Backups: a snapshot of the database as an SQLite file, and the blobs that its rows need, in a folder.

It imports `core.orm`, `core.storage` and `core.base`. `instance` has the commands.
"""
