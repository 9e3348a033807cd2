"""Storing one shard: blob first, then rows, then the bell; whatever fails takes the blob away again."""

import errno
import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast
from uuid import UUID

import structlog
from obstore.exceptions import BaseError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from core import intake
from core.blobs import shard_key
from core.errors import DiskFull
from core.intake import AddedShard
from core.orm import Shard
from core.shards import ShardIndex, index_shard
from web.services import Services

# What of a shard is held in memory while it arrives; the rest of it waits in a temporary file.
SPOOL_BYTES = 8 * 2**20

log = structlog.get_logger("web")


def receive_shard(
    services: Services, upload_uuid: UUID, seq: int, read: Callable[[int], bytes]
) -> tuple[AddedShard, ShardIndex]:
    """Read a tar from `read`, check it on the way, and store it.

    Raises:
        ShardError, ShardTooLarge: The tar is no legal shard.
        Conflict, NotFound, Gone, Invalid, TooLarge, DiskFull: As `store_shard`.
    """
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        try:
            index = index_shard(read, max_image_bytes=services.settings.max_image_bytes, sink=spool.write)
        except OSError as error:
            raise _disk_full(error) from error
        spool.seek(0)
        return store_shard(services, upload_uuid, seq, index, cast(BinaryIO, spool)), index


def store_shard(
    services: Services, upload_uuid: UUID, seq: int, index: ShardIndex, body: bytes | BinaryIO
) -> AddedShard:
    """Store a checked tar under a key of its own, record it, and ring for its chunks after the commit.

    Raises:
        Conflict, NotFound, Gone, Invalid, TooLarge: As `core.intake.add_shard`.
        DiskFull: The store has too little room.
    """
    services.blobs.check_room(index.n_bytes)
    key = shard_key(upload_uuid, seq)
    added: AddedShard | None = None
    try:
        services.blobs.put(key, body)
        with services.db.write() as session:
            added = intake.add_shard(session, upload_uuid, seq, index, key, services.settings.max_upload_bytes)
    except OSError as error:
        _drop(services, key)
        raise _disk_full(error) from error
    except BaseException:
        _drop(services, key)
        raise
    if not added.created:
        services.blobs.delete([key])
    services.bell.ring(added.chunk_ids)
    return added


def _drop(services: Services, key: str) -> None:
    """Delete a blob whose recording failed, unless it is recorded after all: a commit's answer can get lost."""
    try:
        with services.db.read() as session:
            recorded = session.scalar(select(Shard.id).where(Shard.blob_key == key))
        if recorded is None:
            services.blobs.delete([key])
    except (SQLAlchemyError, BaseError, OSError) as error:
        log.warning("blob left behind", key=key, error=str(error), note="`pawsort doctor` finds it")


def _disk_full(error: OSError) -> Exception:
    if error.errno == errno.ENOSPC:
        return DiskFull("The disk is full. Delete jobs that are no longer needed, or make room, and send it again.")
    return error
