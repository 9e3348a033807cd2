"""Storing one shard: the blob first, then its rows, then the message; a failure removes the blob again."""

import errno
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol
from uuid import UUID

import structlog
from obstore.exceptions import BaseError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.database import Database
from core.base.errors import DiskFull, PawsortError
from core.formats.shards import ShardIndex
from core.formats.signatures import code_at_sight
from core.ingest import shard_rows
from core.ingest.shard_rows import AddedShard
from core.orm.uploads import Shard
from core.storage.blobs import Blobs, shard_key
from core.uploads.usage import NO_QUOTA, Quota

log = structlog.get_logger()


class ChunkSender(Protocol):
    """What wakes workers."""

    def wake_inference(self, n_chunks: int) -> None:
        """Tell them that these chunks are ready."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where shards go: the store of their bytes, the database of their rows, who is told, and who sends them.

    `quota` is that of people who have none of their own.
    """

    db: Database
    blobs: Blobs
    tasks: ChunkSender
    max_upload_bytes: int
    actor: Actor
    quota: Quota = NO_QUOTA


def _nothing(_: Session) -> None:
    return None


def store_shard(
    store: Store,
    upload_uuid: UUID,
    seq: int,
    index: ShardIndex,
    body: bytes | BinaryIO,
    labelled: bool,
    also: Callable[[Session], None] = _nothing,
) -> AddedShard:
    """Store a checked tar under a key of its own, record it, and send messages for its chunks after the commit.

    Args:
        labelled: Whether the upload is.
        also: What else to write in the transaction that records it.
    Raises:
        Forbidden, Conflict, NotFound, Gone, Invalid, TooLarge: As `core.ingest.shard_rows.add_shard`.
        DiskFull: The store has too little room.
    """
    store.blobs.check_room(index.n_bytes)
    if labelled:
        index = _look_at_files(index, body)
    key = shard_key(upload_uuid, seq)
    added: AddedShard | None = None
    try:
        store.blobs.put(key, body)
        with store.db.write() as session:
            limit, quota = store.max_upload_bytes, store.quota
            added = shard_rows.add_shard(session, store.actor, upload_uuid, seq, index, key, limit, quota)
            also(session)
    except OSError as error:
        _drop(store, key)
        raise disk_full(error) from error
    except BaseException:
        _drop(store, key)
        raise
    if not added.created:
        store.blobs.delete([key])
    store.tasks.wake_inference(len(added.chunk_ids))
    return added


def _look_at_files(index: ShardIndex, body: bytes | BinaryIO) -> ShardIndex:
    """Note files that are unreadable without doubt, so that a training knows them before it starts."""
    source = io.BytesIO(body) if isinstance(body, bytes) else body
    entries = []
    for entry in index.entries:
        source.seek(entry.offset)
        is_here = entry.declared_bytes is None
        entries.append(replace(entry, error_code=code_at_sight(source.read(entry.n_bytes)) if is_here else None))
    source.seek(0)
    return replace(index, entries=tuple(entries))


def _drop(store: Store, key: str) -> None:
    """Delete a blob whose recording failed, unless it is recorded after all: a commit's answer can get lost."""
    try:
        with store.db.read() as session:
            recorded = session.scalar(select(Shard.id).where(Shard.blob_key == key))
        if recorded is None:
            store.blobs.delete([key])
    except (SQLAlchemyError, PawsortError, BaseError, OSError) as error:
        log.warning("blob left behind", key=key, error=str(error), note="`pawsort doctor` finds it")


def disk_full(error: OSError) -> Exception:
    """The same error, as a sentence where it says that the disk is full."""
    if error.errno == errno.ENOSPC:
        return DiskFull("The disk is full. Delete jobs that are no longer needed or free disk space, then try again.")
    return error
