"""What comes in, seen by everything that hangs on it: a shard becomes rows, labels, and chunks of the jobs over it."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from core.accounts.rights import Actor, check_owner
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
    actor: Actor,
    uuid: UUID,
    seq: int,
    index: ShardIndex,
    blob_key: str,
    max_upload_bytes: int,
    quota: Quota = NO_QUOTA,
) -> AddedShard:
    """Record a stored shard: its row, its images, their folders' labels, and a chunk in every job over the upload.

    Args:
        actor: Who sends it, and so gives the labels.
        quota: Of people who have none of their own.
    Raises:
        Forbidden, Conflict, NotFound, Gone, Invalid, TooLarge: As `shards.add_shard`.
        QuotaExceeded: The upload's owner would have more than they may.
    """
    added = shards.add_shard(session, actor, uuid, seq, index, blob_key, max_upload_bytes)
    if added is None:
        return AddedShard(created=False)
    upload, shard = added
    if upload.labelled:
        content = ((entry.sha256, entry.path) for entry in index.entries)
        folder_labels.add_pending(session, upload, actor.user_id, content)
    added_shard = AddedShard(created=True, chunk_ids=classify_jobs.add_chunks(session, upload, shard))
    # Last: from here to the commit, other shards of the same person wait.
    usage.add(session, upload.user_id, index.n_bytes, len(index.entries), quota)
    return added_shard


def complete_upload(
    session: Session, actor: Actor, uuid: UUID, n_shards: int | None = None, partial: bool = False
) -> Upload:
    """Say that no more will come: its labels count and the jobs over it can end from now on.

    The labels of an upload for a training count when that is accepted.

    Raises:
        Forbidden: The upload is somebody else's.
        IncompleteUpload, Invalid, Conflict: As `uploads.complete`.
        NotFound, Gone: As `uploads.get_upload`.
    """
    upload = uploads.get_upload(session, uuid, lock=True)
    check_owner(actor, upload.user_id, f"upload {uuid}")
    uploads.complete(session, upload, n_shards, partial)
    _begin_to_count(session, actor, upload)
    return upload


def complete_silent(session: Session, uuid: UUID) -> None:
    """Complete an upload that nobody adds to any more, with what arrived; maintenance does it for everybody.

    Raises:
        NotFound, Gone: As `uploads.get_upload`.
    """
    upload = uploads.get_upload(session, uuid, lock=True)
    uploads.complete(session, upload, partial=True)
    _begin_to_count(session, None, upload)


def _begin_to_count(session: Session, actor: Actor | None, upload: Upload) -> None:
    if not upload.for_training:
        folder_labels.start_counting(session, actor, [upload])
    job_states.upload_completed(session, upload)
