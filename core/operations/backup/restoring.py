"""Restoring a backup: verified whole first, then blobs, then rows.

Blobs have the keys that they had, and what the target has already is only compared. So an interrupted restore is
repeated, and nothing is in use before it has come to its end.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from core.base.database import Database
from core.base.errors import BlobMissing, Conflict
from core.operations import relocation
from core.operations.backup.backup_folder import BackupFolder, Manifest, StoredBlob, digest_file
from core.storage.blobs import Blobs

AT_ONCE = 4
SHOWN = 3
Notify = Callable[[str], object]
Result = TypeVar("Result")


def verify(folder: BackupFolder, name: str, manifest: Manifest) -> None:
    """Read a whole backup and compare every digest.

    Raises:
        Conflict: Something of it is damaged or missing.
    """
    damaged = [] if _is_whole(folder, name, manifest) else ["pawsort.db"]
    blobs = folder.blobs
    for key, is_intact in _for_each(manifest, lambda key, stored: _is_intact(blobs, key, stored)):
        if not is_intact:
            damaged.append(key)
    if damaged:
        raise Conflict(
            f"Backup {name} is damaged: {len(damaged):,} of its files are missing or changed"
            f" ({', '.join(damaged[:SHOWN])}). Nothing was restored. Choose another backup."
        )


def restore_blobs(folder: BackupFolder, manifest: Manifest, target: Blobs, notify: Notify) -> None:
    """Copy the blobs of a backup into a store and read them again from there.

    Raises:
        Conflict: The store returns other bytes than it was given.
    """
    source, there = folder.blobs, {key for key, _ in target.list("")}

    def copy(key: str, stored: StoredBlob) -> None:
        if key in there and _is_intact(target, key, stored):
            return
        target.put(key, bytes(source.get(key)))
        if not _is_intact(target, key, stored):
            raise Conflict(f"The blob store returned other bytes for {key} than it was given. Check the store.")

    n = sum(1 for _ in _for_each(manifest, copy))
    notify(f"{n:,} blobs are restored and equal.")


def restore_rows(snapshot: Database, target: Database, head: str, notify: Notify) -> None:
    """Copy all rows into a target that `relocation.begin` has prepared, compare them, and put it into use.

    Raises:
        Conflict: The rows differ in the end.
    """
    with snapshot.engine.connect() as reading:
        relocation.copy_tables(reading, target, head, lambda name, n: notify(f"  {name}: {n:,} rows"))


def _is_whole(folder: BackupFolder, name: str, manifest: Manifest) -> bool:
    path = folder.database(name)
    return path.exists() and digest_file(path) == manifest.database


def _is_intact(blobs: Blobs, key: str, stored: StoredBlob) -> bool:
    try:
        return hashlib.sha256(blobs.get(key)).hexdigest() == stored.sha256
    except BlobMissing:
        return False


def _for_each(manifest: Manifest, work: Callable[[str, StoredBlob], Result]) -> Iterator[tuple[str, Result]]:
    """Do something with each blob, a few at a time; results of a pool wait in memory, so not all at once."""
    waiting = iter(manifest.blobs.items())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(waiting, AT_ONCE * 16)):
            yield from zip((key for key, _ in some), pool.map(lambda item: work(*item), some), strict=True)
