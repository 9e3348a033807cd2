"""Sending an upload: shards packed in one thread, a few of them under way in others."""

import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from pawsort.api.http_client import PawsortClient
from pawsort.sending.shards import Limits, Shard, pack
from pawsort.sending.sources import Skipped, SourceFile

# While one shard travels another is stored and a third is packed; more only costs memory.
SHARDS_UNDER_WAY = 3


@dataclass(frozen=True, slots=True)
class Sent:
    """What has arrived at the server."""

    n_files: int
    n_shards: int


def new_id() -> str:
    """An id for an upload or a job, chosen here so that repeating a request is harmless."""
    return str(uuid.uuid4())


def limits_of(upload: dict[str, Any]) -> Limits:
    """The limits that the server names in its answer, where it names any."""
    named = upload.get("limits") or {}
    limits = Limits()
    return replace(
        limits,
        max_image_bytes=named.get("max_image_bytes", limits.max_image_bytes),
        max_files=min(limits.max_files, named.get("max_files", limits.max_files)),
        max_bytes=min(limits.max_bytes, named.get("max_bytes", limits.max_bytes)),
    )


def send_files(
    client: PawsortClient,
    upload: str,
    files: Iterable[SourceFile],
    limits: Limits,
    *,
    on_sent: Callable[[Shard], object],
    on_skip: Callable[[Skipped], object],
) -> Sent:
    """Send all files as shards of an upload that exists, and complete it.

    Args:
        on_sent: Told of each shard that the server has stored; called in this thread.
        on_skip: Told of each file that could not be read.
    Raises:
        ClientError: A shard was refused or the server went away; what was sent stays, the upload stays open.
    """
    n_files = n_shards = 0
    under_way: dict[Future[Any], Shard] = {}
    pool = ThreadPoolExecutor(SHARDS_UNDER_WAY, thread_name_prefix="send")
    try:
        for shard in pack(files, limits, on_skip):
            under_way[pool.submit(client.put_shard, upload, shard.seq, shard.tar)] = shard
            n_files, n_shards = n_files + shard.n_files, n_shards + 1
            if len(under_way) >= SHARDS_UNDER_WAY:
                _settle(under_way, on_sent)
        while under_way:
            _settle(under_way, on_sent)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    client.complete_upload(upload, n_shards)
    return Sent(n_files, n_shards)


def _settle(under_way: dict[Future[Any], Shard], on_sent: Callable[[Shard], object]) -> None:
    """Wait until at least one shard has arrived, and let go of it."""
    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
        shard = under_way.pop(future)
        future.result()
        on_sent(shard)
