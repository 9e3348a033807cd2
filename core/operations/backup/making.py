"""Making a backup of a running installation.

    hold ─► snapshot of the database ─► blobs that it needs, read back and compared ─► manifest ─► older ones deleted

The rows come first: every blob that they name is there by then, and the hold keeps it. What is stored already is shared
with the backup before, so a second one takes as long as what has changed. An interrupted one continues the same way.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from core.base.database import Database
from core.base.errors import BlobMissing, Conflict, Invalid, NotFound
from core.operations.backup import holds
from core.operations.backup.backup_folder import NAME, BackupFolder, Manifest, StoredBlob, digest_file
from core.operations.backup.needed_blobs import NeededBlob, list_needed
from core.operations.backup.retention import find_superfluous
from core.operations.backup.snapshot import count_rows, open_snapshot, write_snapshot
from core.storage.blobs import Blobs

AT_ONCE = 4
SHOWN = 3


@dataclass(frozen=True)
class Keep:
    """How many backups stay: see `find_superfluous`."""

    n_days: int
    n_weeks: int


def back_up(
    db: Database,
    blobs: Blobs,
    folder: BackupFolder,
    keep: Keep | None = None,
    notify: Callable[[str], object] = lambda _: None,
) -> Manifest:
    """Make a backup of everything that the database names; the installation goes on meanwhile.

    Args:
        keep: Delete older backups; without it all stay.
        notify: Gets sentences about the progress.
    Raises:
        Conflict: Another backup into the folder is running, or blobs are missing or damaged.
        OSError: The folder cannot be written.
    """
    with folder.locked(), holds.keeping_blobs(db, str(folder.path)) as backup_id:
        name = folder.begin(datetime.now(UTC))
        manifest = _copy(db, blobs, folder, name, notify)
        folder.complete(name, manifest)
        with db.write() as session:
            holds.record_end(session, backup_id, len(manifest.blobs), manifest.n_bytes)
        if keep is not None and (superfluous := find_superfluous(folder.names(), keep.n_days, keep.n_weeks)):
            folder.delete(superfluous)
            notify(f"Deleted {len(superfluous)} older backups: {', '.join(sorted(superfluous))}.")
    return manifest


def _copy(db: Database, blobs: Blobs, folder: BackupFolder, name: str, notify: Callable[[str], object]) -> Manifest:
    path = folder.database(name)
    write_snapshot(db, path)
    snapshot = open_snapshot(path)
    try:
        rows, schema = count_rows(snapshot), snapshot.ping()
        with snapshot.read() as session:
            needed = list(list_needed(session))
    finally:
        snapshot.close()
    notify(f"The database is copied: {rows['jobs']:,} jobs, {rows['results']:,} results, {rows['labels']:,} labels.")
    copied = _BlobCopier(blobs, folder).copy(needed, notify)
    return Manifest(_made_at(name), schema, digest_file(path), rows, copied)


def _made_at(name: str) -> str:
    return datetime.strptime(name, NAME).replace(tzinfo=UTC).isoformat()


class _BlobCopier:
    """Copies blobs into a folder of backups, a few at a time."""

    def __init__(self, source: Blobs, folder: BackupFolder) -> None:
        self._source, self._target = source, folder.blobs
        try:
            self._known = folder.read()[1].blobs
        except (NotFound, Invalid):
            self._known = {}
        self._stored = {key for key, _ in self._target.list("")}

    def copy(self, needed: Iterable[NeededBlob], notify: Callable[[str], object]) -> dict[str, StoredBlob]:
        """Copy what is not there yet.

        Raises:
            Conflict: Blobs are missing or damaged.
        """
        copied: dict[str, StoredBlob] = {}
        lost: list[str] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = iter(needed)
            while some := list(islice(waiting, AT_ONCE * 16)):
                for blob, stored in zip(some, pool.map(self._copy_one, some), strict=True):
                    if stored is not None:
                        copied[blob.key] = stored
                    elif not blob.is_optional:
                        lost.append(blob.key)
                notify(f"  {len(copied):,} blobs")
        if lost:
            names = ", ".join(lost[:SHOWN])
            raise Conflict(
                f"{len(lost):,} blobs are missing or damaged in the blob store ({names}), so this backup would not be"
                " complete. `pawsort doctor` lists them. Restore them, or delete the jobs that need them."
            )
        return copied

    def _copy_one(self, blob: NeededBlob) -> StoredBlob | None:
        """Copy a blob unless it is there. None if the source does not have it, or has other bytes than its row says."""
        if blob.key in self._stored and blob.key in self._known:
            return self._known[blob.key]
        try:
            data = self._source.get(blob.key)
        except BlobMissing:
            return None
        digest = hashlib.sha256(data)
        if blob.sha256 is not None and digest.digest() != blob.sha256:
            return None
        self._target.put(blob.key, bytes(data))
        if hashlib.sha256(self._target.get(blob.key)).digest() != digest.digest():
            raise Conflict(f"The backup's disk returned other bytes for {blob.key} than it was given. Check the disk.")
        return StoredBlob(digest.hexdigest(), len(data))
