"""SQLite: how connections are set up, and room on its disk for deleting when everything is full."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

BUSY_TIMEOUT_S = 30
RESERVE_BYTES = 16 * 2**20
NEEDED_BYTES = 4 * 2**20  # for the log of one transaction that deletes


def set_up(engine: Engine) -> None:
    """Let an engine use the write-ahead log, wait for locks, and begin writing transactions as such."""
    event.listen(engine, "connect", _set_up_connection)
    event.listen(engine, "begin", _begin)


def _set_up_connection(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we emit BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class DiskReserve:
    """A file next to a database that takes up space. It is removed when the disk is full, so that something can be
    deleted: deleting needs a little room, too.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-reserve")

    def keep(self) -> None:
        """Create the file if it is missing and there is room for it."""
        if self._path.exists() or self._free_bytes() < 4 * RESERVE_BYTES:
            return
        partial = self._path.with_name(f"{self._path.name}.part")
        try:
            partial.write_bytes(os.urandom(RESERVE_BYTES))  # some file systems compress zeros
            partial.replace(self._path)
        except OSError:
            partial.unlink(missing_ok=True)

    def use_if_full(self) -> None:
        """Remove the file if the disk has no room for a transaction."""
        with suppress(OSError):
            if self._free_bytes() < NEEDED_BYTES:
                self._path.unlink(missing_ok=True)

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._path.parent).free
