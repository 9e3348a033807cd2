"""Receive one shard: write it to a file while it is checked, then store it (core/ingest/shard_storage.py)."""

from collections.abc import Callable
from typing import BinaryIO
from uuid import UUID

from core.accounts.rights import Actor
from core.formats.shards import ShardIndex, index_shard
from core.ingest import shard_storage
from core.ingest.shard_rows import AddedShard
from core.ingest.shard_storage import Store
from core.uploads.usage import Quota
from web.http.context import Services


def receive_shard(
    services: Services,
    upload_uuid: UUID,
    seq: int,
    read: Callable[[int], bytes],
    labelled: bool,
    actor: Actor,
) -> tuple[AddedShard, ShardIndex]:
    """Read a tar from `read`, check it on the way, and store it.

    Raises:
        ShardError, ShardTooLarge: The tar is not a valid shard.
        Conflict, NotFound, Gone, Invalid, TooLarge, DiskFull: As `store_shard`.
    """
    with services.blobs.open_file() as file:
        try:
            index = index_shard(read, max_image_bytes=services.settings.max_image_bytes, sink=file.write)
        except OSError as error:
            raise shard_storage.disk_full(error) from error
        file.seek(0)
        return store_shard(services, upload_uuid, seq, index, file, labelled, actor), index


def store_shard(
    services: Services,
    upload_uuid: UUID,
    seq: int,
    index: ShardIndex,
    body: bytes | BinaryIO,
    labelled: bool,
    actor: Actor,
) -> AddedShard:
    """Store a checked tar, record it and queue its chunks; raises as `core.ingest.shard_storage.store_shard`."""
    store = Store(
        services.db,
        services.blobs,
        services.tasks,
        services.settings.max_upload_bytes,
        actor,
        Quota.from_settings(services.settings),
    )
    return shard_storage.store_shard(store, upload_uuid, seq, index, body, labelled)
