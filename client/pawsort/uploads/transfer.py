"""Upload files as shards: one thread packs them, a few others send them."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from pawsort.api.errors import ClientError
from pawsort.operations.uploads import Uploads
from pawsort.schemas import Upload
from pawsort.uploads.shards import Limits, Shard, pack
from pawsort.uploads.sources import FileCounts, SkippedPath, SourceFile

# While one shard is sent, another is stored and a third is packed. More would only cost memory.
SHARDS_IN_FLIGHT = 3
MB = 10**6


@dataclass(frozen=True, slots=True)
class UploadTotals:
    """How much has arrived at the server."""

    n_files: int
    n_shards: int


def limits_of(upload: Upload) -> Limits:
    """Return the limits in the server's answer; our own ones where it has none, or larger ones for a shard."""
    given, limits = upload.limits, Limits()
    return replace(
        limits,
        max_image_bytes=given.max_image_bytes or limits.max_image_bytes,
        max_files=min(limits.max_files, given.max_files or limits.max_files),
        max_bytes=min(limits.max_bytes, given.max_bytes or limits.max_bytes),
    )


def check_quota(uploads: Uploads, upload: Upload, counts: FileCounts) -> None:
    """See that the files fit into the quota of their user, before any of them is sent. Else the upload is deleted.

    Raises:
        ClientError: They do not fit.
    """
    bytes_left, images_left = upload.limits.bytes_left, upload.limits.images_left
    if images_left is not None and counts.n_files > images_left:
        sentence = f"These are {counts.n_files:,} files, and your quota on the server has room for {images_left:,}."
    elif bytes_left is not None and counts.n_bytes > bytes_left:
        sentence = (
            f"These files have {counts.n_bytes / MB:,.1f} MB, and your quota on the server has room for"
            f" {bytes_left / MB:,.1f} MB."
        )
    else:
        return
    uploads.delete(upload.id)
    raise ClientError(f"{sentence} Nothing was uploaded. Delete jobs that you no longer need, or upload less.")


def upload_files(
    uploads: Uploads,
    upload: str,
    files: Iterable[SourceFile],
    limits: Limits,
    *,
    on_uploaded: Callable[[Shard], object],
    on_skip: Callable[[SkippedPath], object],
    first_seq: int = 0,
) -> UploadTotals:
    """Upload all files as shards of an existing upload, and complete it.

    Args:
        on_uploaded: Called in this thread for each shard that the server has stored.
        on_skip: Called for each file that cannot be read.
        first_seq: The number of the first shard. If shards were sent before, the upload is completed with those that
            have arrived.
    Raises:
        ClientError: A shard was refused, or the server does not answer. Stored shards stay, and the upload stays open.
    """
    n_files = n_shards = 0
    in_flight: dict[Future[Any], Shard] = {}
    pool = ThreadPoolExecutor(SHARDS_IN_FLIGHT, thread_name_prefix="upload")
    try:
        for shard in pack(files, limits, on_skip, first_seq):
            in_flight[pool.submit(uploads.put_shard, upload, shard.seq, shard.tar)] = shard
            n_files, n_shards = n_files + shard.n_files, n_shards + 1
            if len(in_flight) >= SHARDS_IN_FLIGHT:
                _wait_for_shard(in_flight, on_uploaded)
        while in_flight:
            _wait_for_shard(in_flight, on_uploaded)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    uploads.complete(upload, None if first_seq else n_shards)
    return UploadTotals(n_files, n_shards)


def _wait_for_shard(in_flight: dict[Future[Any], Shard], on_uploaded: Callable[[Shard], object]) -> None:
    """Wait until at least one shard has been stored, and forget it."""
    for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
        shard = in_flight.pop(future)
        future.result()
        on_uploaded(shard)
