"""What comes in, seen by everything that hangs on it: a shard becomes rows, labels, and chunks of the jobs over it."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from core.formats.shards import ShardIndex
from core.jobs import classify_jobs, job_states
from core.labels import labels
from core.orm.uploads import Upload
from core.uploads import shards, uploads


@dataclass(frozen=True)
class AddedShard:
    """A stored shard: `created` is false when the same bytes arrived before. Send messages for the chunks."""

    created: bool
    chunk_ids: list[int] = field(default_factory=list)


def add_shard(
    session: Session, uuid: UUID, seq: int, index: ShardIndex, blob_key: str, max_upload_bytes: int
) -> AddedShard:
    """Record a stored shard: its row, its images, their folders' labels, and a chunk in every job over the upload.

    Raises:
        Conflict, NotFound, Gone, Invalid, TooLarge: As `uploads.add_shard`.
    """
    added = shards.add_shard(session, uuid, seq, index, blob_key, max_upload_bytes)
    if added is None:
        return AddedShard(created=False)
    upload, shard = added
    if upload.labelled:
        labels.add_folder_labels(session, upload.user_id, ((entry.sha256, entry.path) for entry in index.entries))
    return AddedShard(created=True, chunk_ids=classify_jobs.add_chunks(session, upload, shard))


def complete_upload(session: Session, uuid: UUID, n_shards: int | None = None, partial: bool = False) -> Upload:
    """Say that no more will come; the jobs over the upload can end from now on.

    Raises:
        IncompleteUpload, Invalid, Conflict, NotFound, Gone: As `uploads.complete_upload`.
    """
    upload = uploads.complete_upload(session, uuid, n_shards, partial)
    job_states.upload_completed(session, upload)
    return upload
