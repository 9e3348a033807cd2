"""Deleting for good: rows and bytes of deleted jobs and uploads, in slices, so that a kill at any point only pauses it.

Every slice is one short transaction that locks the job or upload first: of two that purge the same one, the second
would else find a slice gone and take it for the last. An upload's bytes go by their prefix, which also takes what an
interrupted request left there. The emptied rows stay: their ids are never used again.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.database import Database, change, locked
from core.base.states import JobKind, JobState
from core.models import conversions
from core.operations.backup.holds import is_backup_running
from core.orm.evaluation import LabelQualityReport, Prediction
from core.orm.jobs import Chunk, Job, JobTag
from core.orm.labels import PendingLabel
from core.orm.models import ModelVersion
from core.orm.results import HistogramBin, Result
from core.orm.review import ReviewClaim
from core.orm.training import EpochRow, ShardFeatures, Training, TrainingUpload
from core.orm.uploads import Image, Shard, Upload
from core.storage.blobs import THUMBNAILS, Blobs, thumbnails_prefix, training_prefix, upload_prefix, weights_key
from core.training import features
from core.uploads import usage

SLICE = 5000


def purge_all(db: Database, blobs: Blobs, max_s: float = float("inf")) -> int:
    """Purge what is deleted and not yet purged, but stop after `max_s` seconds; the next call continues.

    Nothing is purged while a backup runs.

    Returns:
        How many jobs and uploads were finished.
    """
    give_up_at = time.monotonic() + max_s
    with db.read() as session:
        deleted = select(Job.id, Job.kind, Job.uuid).where(Job.deleted_at.is_not(None), Job.purged_at.is_(None))
        jobs = session.execute(deleted).all()
        uploads = session.execute(
            select(Upload.id, Upload.uuid).where(Upload.deleted_at.is_not(None), Upload.purged_at.is_(None))
        ).all()
    if is_backup_running(db):
        return 0
    for job in jobs:
        if job.kind == JobKind.TRAIN:
            blobs.remove_all(training_prefix(job.uuid))
    purge_versions(db, blobs)
    features.forget_unused(db, blobs)
    n_finished = sum(_until_empty(db, partial(_purge_job_slice, job.id), give_up_at) for job in jobs)
    return n_finished + sum(_purge_upload(db, blobs, upload_id, uuid, give_up_at) for upload_id, uuid in uploads)


def purge_versions(db: Database, blobs: Blobs) -> None:
    """Remove the weights and predictions of deleted versions; their rows stay, since other rows refer to them."""
    with db.read() as session:
        deleted = select(ModelVersion.id).where(ModelVersion.deleted_at.is_not(None), ModelVersion.purged_at.is_(None))
        version_ids = session.scalars(deleted).all()
    for version_id in version_ids:
        with db.write() as session:  # the lock keeps out a training that stores the same weights again
            still = deleted.where(ModelVersion.id == version_id).with_only_columns(ModelVersion)
            version = session.scalar(locked(still))
            if version is not None:
                converted = conversions.forget(session, version.id)
                blobs.delete([weights_key(digest) for digest in (version.digest, converted) if digest is not None])
                change(session, delete(Prediction).where(Prediction.version_id == version.id))
                version.purged_at = db_now()


def _until_empty(db: Database, do_slice: Callable[[Session], bool], give_up_at: float) -> bool:
    """Slice by slice; whether the last one was reached in time."""
    while time.monotonic() < give_up_at:
        with db.write(deletes=True) as session:
            if not do_slice(session):
                return True
    return False


def _purge_job_slice(job_id: int, session: Session) -> bool:
    if session.scalar(locked(select(Job.id).where(Job.id == job_id, Job.purged_at.is_(None)))) is None:
        return False
    images = select(Result.image_id).where(Result.job_id == job_id).limit(SLICE)
    if change(session, delete(Result).where(Result.job_id == job_id, Result.image_id.in_(images))):
        return True
    chunks = select(Chunk.id).where(Chunk.job_id == job_id).limit(SLICE)
    if change(session, delete(Chunk).where(Chunk.id.in_(chunks))):
        return True
    for table in (JobTag, HistogramBin, EpochRow, TrainingUpload, Training, ReviewClaim, LabelQualityReport):
        change(session, delete(table).where(table.job_id == job_id))
    change(session, update(Job).where(Job.id == job_id).values(purged_at=db_now(), name=""))
    return False


def _purge_upload(db: Database, blobs: Blobs, upload_id: int, uuid: UUID, give_up_at: float) -> bool:
    with db.read() as session:
        unpurged = select(Job.id).where(Job.upload_id == upload_id, Job.purged_at.is_(None)).limit(1)
        if session.scalar(unpurged) is not None:
            return False
    blobs.remove_all(thumbnails_prefix(uuid))
    blobs.remove_all(upload_prefix(uuid))
    return _until_empty(db, partial(_purge_upload_slice, upload_id), give_up_at)


def _purge_upload_slice(upload_id: int, session: Session) -> bool:
    upload = session.scalar(locked(select(Upload).where(Upload.id == upload_id, Upload.purged_at.is_(None))))
    if upload is None:
        return False
    shards = select(Shard.id).where(Shard.upload_id == upload_id)
    kept = select(ShardFeatures.id).where(ShardFeatures.shard_id.in_(shards)).limit(SLICE)
    if change(session, delete(ShardFeatures).where(ShardFeatures.id.in_(kept))):
        return True
    for table in (PendingLabel, Image, Shard):
        rows = select(table.id).where(table.upload_id == upload_id).limit(SLICE)
        if change(session, delete(table).where(table.id.in_(rows))):
            return True
    change(session, update(Upload).where(Upload.id == upload_id).values(purged_at=db_now(), name="", skipped=[]))
    usage.give_back(session, upload.user_id, upload.n_bytes, upload.n_images)
    return False


def find_orphans(db: Database, blobs: Blobs, older_than: float) -> Iterator[str]:
    """Blobs of uploads and trainings that no row needs, written before `older_than` (seconds since 1970)."""
    states = select(Training.data_key, Training.state_key).join(Job, Job.id == Training.job_id)
    with db.read() as session:
        known = {key for keys in session.execute(select(Shard.blob_key, Shard.thumbnails_key)) for key in keys}
        known |= set(session.scalars(select(ShardFeatures.blob_key)))
        known |= {key for keys in session.execute(states.where(Job.state != JobState.DONE)) for key in keys}
        with_originals = Upload.purged_at.is_(None), Upload.discarded_at.is_(None)
        prefixes = {thumbnails_prefix(uuid) for uuid in session.scalars(select(Upload.uuid).where(*with_originals))}
    for key, written_at in chain(blobs.list("uploads/"), blobs.list("trainings/")):
        if key not in known and written_at < older_than:
            yield key
    for key, written_at in blobs.list(THUMBNAILS):
        if f"{key.rpartition('/')[0]}/" not in prefixes and written_at < older_than:
            yield key


def delete_orphans(db: Database, blobs: Blobs, older_than: float) -> int:
    """Delete what `find_orphans` finds, unless a backup runs. Returns how many blobs there were."""
    orphans = list(find_orphans(db, blobs, older_than))
    if is_backup_running(db):
        return 0
    blobs.delete(orphans)
    return len(orphans)


def find_missing(db: Database, blobs: Blobs) -> list[str]:
    """Blobs that shards need and that are gone: what `doctor` reports as lost bytes."""
    needed = func.coalesce(Shard.thumbnails_key, Shard.blob_key)
    with db.read() as session:
        known = set(session.scalars(select(needed).join(Upload).where(Upload.deleted_at.is_(None))))
    return sorted(known - {key for key, _ in blobs.list("uploads/")})
