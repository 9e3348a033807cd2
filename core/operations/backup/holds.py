"""What keeps blobs while a backup copies them.

    hold (committed) ─► snapshot of the rows ─► blobs that they need ─► hold ends

Whoever deletes a blob changes the rows first, and asks here afterwards. So a blob that the snapshot needs became
superfluous after the snapshot, thus after the hold, and is left alone. The hold is a lease: a backup that was killed
keeps nothing for longer than a minute.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.base import leases
from core.base.clock import db_now
from core.base.database import Database, change
from core.operations.lease_keeper import LeaseKeeper
from core.orm.operations import Backup

LEASE_S = 60.0
RENEWAL_S = 10.0


@contextmanager
def keeping_blobs(db: Database, folder: str) -> Iterator[int]:
    """While the block runs, no blob is deleted. Yields the id of the backup's row."""
    with db.write() as session:
        backup = Backup(folder=folder, lease_until=db_now(LEASE_S))
        session.add(backup)
        session.flush()
        backup_id = backup.id
    try:
        with LeaseKeeper(lambda: _renew(db, backup_id), RENEWAL_S, "backup_lease_not_renewed"):
            yield backup_id
    finally:
        with db.write() as session:
            _set(session, backup_id, lease_until=None)


def record_end(session: Session, backup_id: int, n_blobs: int, n_bytes: int) -> None:
    """Record that a backup is complete."""
    _set(session, backup_id, finished_at=db_now(), n_blobs=n_blobs, n_bytes=n_bytes)


def is_backup_running(db: Database) -> bool:
    """Whether blobs have to stay; ask after the rows no longer name them."""
    with db.read() as session:
        return session.scalar(select(Backup.id).where(leases.is_current(Backup.lease_until)).limit(1)) is not None


def find_last(session: Session) -> Backup | None:
    """The newest backup that is complete."""
    complete = select(Backup).where(Backup.finished_at.is_not(None))
    return session.scalar(complete.order_by(Backup.id.desc()).limit(1))


def _renew(db: Database, backup_id: int) -> bool:
    with db.write() as session:
        _set(session, backup_id, **leases.renewal_values(LEASE_S))
    return True


def _set(session: Session, backup_id: int, **values: object) -> None:
    change(session, update(Backup).where(Backup.id == backup_id).values(values))
