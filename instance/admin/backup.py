"""The steps of `pawsort backup` and `pawsort restore`, on the database and the store that the settings name."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from instance.base.data_dir import prepare_data_dir
from instance.base.lock import DataDirLock
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from core.base.config import Settings
    from core.base.database import Database
    from core.operations.backup.backup_folder import BackupFolder, Manifest
    from core.operations.backup.making import Keep

MIB = 2**20
KEPT = ".before-restore"
Notify = Callable[[str], object]


def back_up_installation(settings: "Settings", folder: Path, keep: "Keep | None", notify: Notify) -> None:
    """Make a backup of an installation, which may be running.

    Raises:
        ClientError: The folder cannot be written.
        PawsortError: A server does not answer, or blobs are missing.
    """
    from core.accounts.audit_log import Action, record
    from core.accounts.people import act_as_owner
    from core.base.database import Database
    from core.operations.backup.backup_folder import BackupFolder
    from core.operations.backup.making import back_up
    from core.storage.blobs import Blobs
    from migrations.run import check_schema

    if settings.sql_url.startswith("sqlite") and not _file_of(settings).exists():
        raise ClientError(
            f"{_file_of(settings)} does not exist: Pawsort was never started on {settings.data_dir}. Give its folder"
            " with --data DIR."
        )
    db = Database(settings.sql_url)
    try:
        check_schema(db)
        with _written(folder):
            manifest = back_up(db, Blobs(settings.store_url), BackupFolder(folder), keep, notify)
        with db.write() as session:
            actor = act_as_owner(session)
            record(session, actor, Action.BACKUP_CREATE, folder=folder, blobs=len(manifest.blobs))
    finally:
        db.close()
    size = f"{len(manifest.blobs):,} blobs and the database, {manifest.n_bytes // MIB:,} MiB"
    notify(f"The backup is complete: {size} in {folder}.")


def _file_of(settings: "Settings") -> Path:
    return Path(settings.sql_url.removeprefix("sqlite:///"))


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    from core.base.errors import DiskFull

    try:
        yield
    except DiskFull as error:
        raise ClientError(f"The disk of {folder} is full. Free disk space there, or choose another folder.") from error
    except (OSError, sqlite3.Error) as error:
        raise ClientError(f"{folder} cannot be written ({error}). Choose another folder.") from error


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to restore.

    Attributes:
        name: Of a backup; the newest by default.
        replaces: Replace an installation that is in use.
        is_dry_run: Only verify the backup.
    """

    name: str | None = None
    replaces: bool = False
    is_dry_run: bool = False


def restore_installation(settings: "Settings", folder: Path, wanted: Wanted, notify: Notify) -> None:
    """Verify a backup, then restore it into the database and the store of the settings.

    Raises:
        ClientError: The target is in use.
        PawsortError: The backup is damaged, or a server does not answer.
    """
    from core.operations.backup import restoring
    from core.operations.backup.backup_folder import BackupFolder

    backups = BackupFolder(folder)
    name, manifest = backups.read(wanted.name)
    notify(f"Verifying backup {name}: {len(manifest.blobs):,} blobs, {manifest.n_bytes // MIB:,} MiB.")
    restoring.verify(backups, name, manifest)
    notify("The backup is complete and undamaged.")
    if wanted.is_dry_run:
        return
    prepare_data_dir(settings.data_dir)
    restore = _restore_file if settings.sql_url.startswith("sqlite") else _restore_server
    restore(settings, backups, name, manifest, wanted.replaces, notify)
    _record_restore(settings, name)
    rows = manifest.rows
    notify(f"Restored: {rows['jobs']:,} jobs, {rows['results']:,} results, {rows['labels']:,} labels.")
    notify("Start Pawsort; jobs that were running continue. People have to log in again.")


def _record_restore(settings: "Settings", name: str) -> None:
    from core.accounts.audit_log import Action, record
    from core.accounts.people import act_as_owner
    from core.base.database import Database

    db = Database(settings.sql_url)
    with db.write() as session:
        record(session, act_as_owner(session), Action.BACKUP_RESTORE, backup=name)
    db.close()


def _restore_file(
    settings: "Settings", backups: "BackupFolder", name: str, manifest: "Manifest", replaces: bool, notify: Notify
) -> None:
    """Put the snapshot in the place of this machine's database; the one that was there is kept under another name."""
    from core.operations.backup import restoring
    from core.storage.blobs import Blobs

    path = _file_of(settings)
    with DataDirLock(settings.data_dir, notify):  # `pawsort up` must be stopped, and cannot start meanwhile
        if path.exists() and not replaces and _is_used(path):
            raise ClientError(
                f"{path} is in use already. Restore into another folder (--data DIR), or replace it with --replace;"
                f" the database is then kept as {path.name}{KEPT}."
            )
        partial = path.with_name(f"{path.name}.part")
        _copy_migrated(backups.database(name), partial).close()
        restoring.restore_blobs(backups, manifest, Blobs(settings.store_url), notify)
        if path.exists():
            _put_away(path)
        partial.replace(path)


def _restore_server(
    settings: "Settings", backups: "BackupFolder", name: str, manifest: "Manifest", replaces: bool, notify: Notify
) -> None:
    """Copy the rows of the snapshot into a database server."""
    from core.base.database import Database
    from core.operations import relocation
    from core.operations.backup import restoring
    from core.storage.blobs import Blobs
    from instance.admin.relocate import migrate_target
    from migrations.run import head_revision

    target, head = Database(settings.sql_url), head_revision()
    try:
        migrate_target(target)
        with TemporaryDirectory(dir=settings.data_dir) as scratch:
            snapshot = _copy_migrated(backups.database(name), Path(scratch) / "pawsort.db")
            try:
                if relocation.begin(target, head, settings.alive_s, replaces):
                    notify("Resuming an interrupted restore.")
                restoring.restore_blobs(backups, manifest, Blobs(settings.store_url), notify)
                restoring.restore_rows(snapshot, target, head, notify)
            finally:
                snapshot.close()
    finally:
        target.close()


def _copy_migrated(snapshot: Path, path: Path) -> "Database":
    """Copy a snapshot and give it the schema of this program: a backup may be older. Returns it as a database."""
    from core.operations.backup.snapshot import open_snapshot
    from migrations.run import migrate

    shutil.copyfile(snapshot, path)
    os.chmod(path, 0o600)
    copy = open_snapshot(path)
    migrate(copy)
    return copy


def _is_used(path: Path) -> bool:
    from sqlalchemy.exc import SQLAlchemyError

    from core.operations.backup.snapshot import open_snapshot
    from core.operations.relocation import find_used

    db = open_snapshot(path)
    try:
        with db.read() as session:
            return bool(find_used(session))
    except SQLAlchemyError:  # of another version, or damaged: whatever it is, it is not empty
        return True
    finally:
        db.close()


def _put_away(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode=DELETE")  # what is in the log next to it goes into the file
    path.replace(path.with_name(path.name + KEPT))
