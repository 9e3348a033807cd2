"""Restoring backups in tests, and comparing installations."""

from pathlib import Path

from sqlalchemy import Table

from core.base.config import Settings
from core.base.database import Database
from core.operations import relocation
from core.operations.backup.backup_folder import BackupFolder
from instance.admin.backup import Wanted, restore_installation

RECORDS = ("backups", "audit_log")


def restore(
    settings: Settings, folder: BackupFolder, place: Path, sql_url: str = "", replaces: bool = False
) -> Settings:
    """Restore the newest backup on a machine of its own, by default into SQLite. Returns the settings there."""
    there = settings.model_copy(update={"data_dir": place, "database_url": sql_url, "blob_url": ""})
    restore_installation(there, folder.path, Wanted(replaces=replaces), lambda _: None)
    return there


def digests(db: Database) -> dict[str, relocation.Digest]:
    """The digest of each table but those in which a backup records itself and a restore is recorded."""

    def digest(table: Table) -> relocation.Digest:
        with db.engine.connect() as connection:
            return relocation.digest_rows(connection, table)

    return {table.name: digest(table) for table in relocation.tables() if table.name not in RECORDS}
