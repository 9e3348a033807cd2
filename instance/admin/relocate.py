"""The steps of `pawsort move`: from the files of one machine to servers."""

import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from instance.base.lock import DataDirLock
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.base.config import Settings
    from core.base.database import Database

MIB = 2**20


def move_installation(settings: "Settings", notify: Callable[[str], object]) -> None:
    """Copy database and blobs of a data directory to the servers in the settings, and compare both.

    Nothing is changed on this machine. Interrupted at any point, it continues when it is called again. The audit log of
    the servers gets an entry when it is done.

    Raises:
        ClientError: There is nothing to move, or nowhere to move it.
        PawsortError: A server does not answer, refuses access, or has other data.
    """
    from core.base.database import Database
    from core.operations import relocation
    from core.storage.blobs import Blobs

    here = settings.data_dir / "pawsort.db"
    _check_addresses(settings)
    if not here.exists():
        raise ClientError(
            f"{here} does not exist: Pawsort was never started on {settings.data_dir}. Give its folder with --data DIR."
        )
    with DataDirLock(settings.data_dir, notify):  # `pawsort up` must be stopped, and cannot start meanwhile
        source, target = Database(f"sqlite:///{here}"), Database(settings.sql_url)
        try:
            head = _prepare(source, target)
            is_continued = relocation.begin(target, head, settings.alive_s)
            notify("Resuming an interrupted move." if is_continued else "The target is empty and ready.")
            blobs = Blobs((settings.data_dir / "blobs").as_uri()), Blobs(settings.store_url)
            n, n_bytes = relocation.copy_blobs(*blobs, lambda n, size: notify(f"  {n:,} blobs, {size // MIB:,} MiB"))
            notify(f"{n:,} blobs with {n_bytes // MIB:,} MiB are copied and equal.")
            record_move = partial(_record_move, data_dir=settings.data_dir, n_blobs=n)
            with source.engine.connect() as reading:
                relocation.copy_tables(
                    reading, target, head, lambda name, n: notify(f"  {name}: {n:,} rows"), record_move
                )
        finally:
            source.close()
            target.close()
    notify("All rows are copied and equal. Start web and workers with these addresses.")
    notify(f"{settings.data_dir} is unchanged. Start nothing on it any more, and delete it when you are sure.")


def _record_move(session: "Session", data_dir: Path, n_blobs: int) -> None:
    from core.accounts.audit_log import Action, record
    from core.accounts.people import act_as_owner

    host, actor = socket.gethostname(), act_as_owner(session)
    record(session, actor, Action.INSTALLATION_MOVE, host=host, folder=data_dir, blobs=n_blobs)


def _check_addresses(settings: "Settings") -> None:
    if not settings.database_url.startswith("postgresql"):
        raise ClientError("PAWSORT_DATABASE_URL: expected the target, postgresql://user:password@host/name.")
    own = (settings.data_dir / "blobs").as_uri()
    if not settings.blob_url or settings.blob_url.rstrip("/") == own:
        raise ClientError("PAWSORT_BLOB_URL: expected the target, s3://bucket/prefix, or a folder elsewhere.")


def _prepare(source: "Database", target: "Database") -> str:
    """Migrate the target's schema. Returns the revision of both."""
    from core.base.errors import Refused
    from migrations.run import check_schema, head_revision

    try:
        check_schema(source)
    except Refused as error:
        raise ClientError(
            "The database of this machine was made by another version of Pawsort. Start it once with this version"
            f" (`pawsort up`), stop it, then move. ({error.message})"
        ) from error
    migrate_target(target)
    return head_revision()


def migrate_target(target: "Database") -> None:
    """Migrate the schema of a target, unless a move or restore into it was interrupted."""
    from core.operations.relocation import MOVING
    from migrations.run import migrate

    if not _revision(target).startswith(MOVING):
        migrate(target)


def _revision(db: "Database") -> str:
    from core.base.database import NO_TABLES_SENTENCE
    from core.base.errors import Refused

    try:
        return db.ping()
    except Refused as error:
        if error.message == NO_TABLES_SENTENCE:
            return ""
        raise
