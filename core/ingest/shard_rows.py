"""What comes in, seen by everything that hangs on it: a shard becomes rows, labels, and chunks of the jobs over it."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from core.formats.shards import ShardIndex
from core.jobs import classify_jobs, job_states
from core.labels import folder_labels
from core.orm.uploads import Upload
from core.uploads import shards, uploads, usage
from core.uploads.usage import NO_QUOTA, Quota


@dataclass(frozen=True)
class AddedShard:
    """A stored shard: `created` is false when the same bytes arrived before. Send messages for the chunks."""

    created: bool
    chunk_ids: list[int] = field(default_factory=list)


def add_shard(
    session: Session,
    uuid: UUID,
    seq: int,
    index: ShardIndex,
    blob_key: str,
    max_upload_bytes: int,
    user_id: int | None = None,
    quota: Quota = NO_QUOTA,
) -> AddedShard:
    """Record a stored shard: its row, its images, their folders' labels, and a chunk in every job over the upload.

    Args:
        user_id: Who sent it, and so gives the labels; the upload's owner where that is unknown.
        quota: Of people who have none of their own.
    Raises:
        Conflict, NotFound, Gone, Invalid, TooLarge: As `uploads.add_shard`.
        QuotaExceeded: The upload's owner would have more than they may.
    """
    added = shards.add_shard(session, uuid, seq, index, blob_key, max_upload_bytes)
    if added is None:
        return AddedShard(created=False)
    upload, shard = added
    if upload.labelled:
        sender = upload.user_id if user_id is None else user_id
        folder_labels.add_pending(session, upload, sender, ((entry.sha256, entry.path) for entry in index.entries))
    added_shard = AddedShard(created=True, chunk_ids=classify_jobs.add_chunks(session, upload, shard))
    # Last: from here to the commit, other shards of the same person wait.
    usage.add(session, upload.user_id, index.n_bytes, len(index.entries), quota)
    return added_shard


def complete_upload(session: Session, uuid: UUID, n_shards: int | None = None, partial: bool = False) -> Upload:
    """Say that no more will come: its labels count and the jobs over it can end from now on.

    The labels of an upload for a training count when that is accepted.

    Raises:
        IncompleteUpload, Invalid, Conflict, NotFound, Gone: As `uploads.complete_upload`.
    """
    upload = uploads.complete_upload(session, uuid, n_shards, partial)
    if not upload.for_training:
        folder_labels.start_counting(session, [upload.id])
    job_states.upload_completed(session, upload)
    return upload
