"""Discarding originals, where only labels are wanted: previews replace the shards.

    request ─► every file of a job has its result, nothing else needs them ─► they count as gone (one transaction)
         ─► shard by shard: previews stored ─► the row names them ─► the tar removed ─► the row notes it

A kill between two steps leaves the next one to the next call, and each is harmless when it is done twice. From the
first transaction on no job is created over the upload, and none is tried again.
"""

import struct
import time
from collections.abc import Mapping, Sequence

from sqlalchemy import Row, Select, exists, select, update
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.base.clock import db_now
from core.base.database import Database, change, locked
from core.base.errors import BlobMissing, ImageError, NotFound
from core.base.states import ACTIVE_STATES, JobKind, JobState, UploadState
from core.decoding.pool.decoder_pool import DecoderPool
from core.formats.shards import MAX_FILES
from core.operations.backup.holds import is_backup_running
from core.orm.jobs import Job
from core.orm.results import Result
from core.orm.uploads import Image, Shard, Upload
from core.storage.blobs import Blobs, thumbnails_key, thumbnails_prefix
from core.uploads import usage

SIDE_PX = 512
AT_ONCE = 32  # pictures that a decoder gets together
_PLACE = struct.Struct(">LL")  # offset and length of one preview
_HEADER_BYTES = MAX_FILES * _PLACE.size


def mark_ready(db: Database) -> int:
    """Let the originals of uploads count as gone whose files have their results, and that nothing else needs.

    Returns:
        How many uploads.
    """
    with db.read() as session:
        waiting = session.scalars(select(Upload.id).where(Upload.discards, Upload.discarded_at.is_(None))).all()
    return sum(_mark(db, upload_id) for upload_id in waiting)


def _mark(db: Database, upload_id: int) -> bool:
    with db.write() as session:
        upload = session.scalars(locked(select(Upload).where(Upload.id == upload_id))).one()
        is_whole = upload.state == UploadState.COMPLETE and upload.deleted_at is None and upload.discarded_at is None
        if not is_whole or not _is_done_with(session, upload):
            return False
        upload.discarded_at = db_now()
        asked_by, images = upload.user_id, upload.n_images
        record(session, None, Action.ORIGINALS_DISCARD, "upload", upload.uuid, images=images, user_id=asked_by)
        over_upload = (Job.upload_id == upload.id) & Job.deleted_at.is_(None)
        change(session, update(Job).where(over_upload).values(revision=Job.revision + 1))
        return True


def _is_done_with(session: Session, upload: Upload) -> bool:
    """Whether a job has all results, none is active, and no training or evaluation is, which may need any picture."""
    alive, active = Job.deleted_at.is_(None), Job.state.in_(ACTIVE_STATES)
    over_upload = (Job.upload_id == upload.id) & alive
    done = exists().where(over_upload, Job.kind == JobKind.CLASSIFY, Job.state == JobState.DONE)
    busy = exists().where(alive, active, (Job.upload_id == upload.id) | (Job.kind != JobKind.CLASSIFY))
    return bool(session.scalar(select(done & ~busy)))


def remove_originals(db: Database, blobs: Blobs, decoders: DecoderPool, max_s: float = float("inf")) -> int:
    """Replace shards whose originals count as gone by previews; stop after `max_s` seconds.

    Returns:
        How many shards were dealt with.
    """
    give_up_at = time.monotonic() + max_s
    n_shards, last = 0, 0
    while time.monotonic() < give_up_at:
        with db.read() as session:
            shard = session.scalar(
                select(Shard)
                .join(Upload, Upload.id == Shard.upload_id)
                .where(Upload.discarded_at.is_not(None), Upload.deleted_at.is_(None), ~Shard.is_gone, Shard.id > last)
                .order_by(Shard.id)
                .limit(1)
            )
        if shard is None:
            break
        last = shard.id
        if shard.thumbnails_key is None:
            _keep_thumbnails(db, blobs, shard, decoders)
        _remove(db, blobs, shard.id)
        n_shards += 1
    return n_shards


def _keep_thumbnails(db: Database, blobs: Blobs, shard: Shard, decoders: DecoderPool) -> None:
    with db.read() as session:
        upload_uuid = session.scalars(select(Upload.uuid).where(Upload.id == shard.upload_id)).one()
        readable = session.execute(_readable(shard.id)).all()
    packed = pack(_make_thumbnails(blobs, shard.blob_key, readable, decoders))
    key = thumbnails_key(upload_uuid, shard.seq)
    blobs.put(key, packed)
    with db.write() as session:
        upload = session.scalars(locked(select(Upload).where(Upload.id == shard.upload_id))).one()
        is_unclaimed = (Shard.id == shard.id) & Shard.thumbnails_key.is_(None)
        is_first = upload.deleted_at is None and change(
            session, update(Shard).where(is_unclaimed).values(thumbnails_key=key)
        )
        if is_first:
            upload.n_bytes += len(packed) - shard.n_bytes
            usage.give_back(session, upload.user_id, shard.n_bytes - len(packed), 0)
    if not is_first:
        blobs.delete([key])


def _remove(db: Database, blobs: Blobs, shard_id: int) -> None:
    """Remove the tar of a shard that has previews in its place, and kept thumbnails, which may show more."""
    with db.read() as session:
        found = session.execute(select(Shard, Upload.uuid).join(Upload).where(Shard.id == shard_id)).one_or_none()
    if found is None or found[0].thumbnails_key is None:  # its upload was deleted meanwhile
        return
    if is_backup_running(db):  # later
        return
    shard, upload_uuid = found
    blobs.remove_all(thumbnails_prefix(upload_uuid))
    blobs.delete([shard.blob_key])
    with db.write() as session:
        change(session, update(Shard).where(Shard.id == shard_id).values(is_gone=True))


def _readable(shard_id: int) -> Select[int, int, int]:
    good = exists().where(Result.image_id == Image.id, Result.job_id == Job.id, Result.error_code.is_(None))
    over_upload = exists().where(Job.upload_id == Image.upload_id, good)
    return select(Image.ordinal, Image.offset, Image.n_bytes).where(Image.shard_id == shard_id, over_upload)


def _make_thumbnails(
    blobs: Blobs, key: str, images: Sequence[Row[int, int, int]], decoders: DecoderPool
) -> dict[int, bytes]:
    try:
        data = blobs.get(key)
    except BlobMissing:
        return {}
    made: dict[int, bytes] = {}
    for start in range(0, len(images), AT_ONCE):
        some = images[start : start + AT_ONCE]
        files = [data[offset : offset + n_bytes] for _, offset, n_bytes in some]
        thumbnails = decoders.make_thumbnails(files, SIDE_PX)
        for (ordinal, _, _), thumbnail in zip(some, thumbnails, strict=True):
            if not isinstance(thumbnail, ImageError):  # else a worker could read it, at a smaller size
                made[ordinal % MAX_FILES] = thumbnail
    return made


def pack(thumbnails: Mapping[int, bytes]) -> bytes:
    """Small pictures by their position in the shard as one blob: where each is, then all of them."""
    header, offset = bytearray(_HEADER_BYTES), _HEADER_BYTES
    for position, data in sorted(thumbnails.items()):
        _PLACE.pack_into(header, position * _PLACE.size, offset, len(data))
        offset += len(data)
    return bytes(header) + b"".join(data for _, data in sorted(thumbnails.items()))


def read_thumbnail(blobs: Blobs, key: str, ordinal: int) -> bytes:
    """The preview of an image.

    Args and Raises: As `find_thumbnail`.
    """
    offset, n_bytes = find_thumbnail(blobs, key, ordinal)
    return blobs.get_range(key, offset, n_bytes)


def find_thumbnail(blobs: Blobs, key: str, ordinal: int) -> tuple[int, int]:
    """Offset and length of the preview of an image.

    Args:
        key: Of the blob that replaces its shard.
        ordinal: The image's place in the upload.
    Raises:
        NotFound: There is none.
        BlobMissing: The store has lost the blob.
    """
    place = blobs.get_range(key, ordinal % MAX_FILES * _PLACE.size, _PLACE.size)
    offset, n_bytes = _PLACE.unpack(place)
    if not n_bytes:
        raise NotFound("There is no thumbnail of this image.")
    return offset, n_bytes


def is_finished(session: Session, upload: Upload) -> bool:
    """Whether the last original of an upload has been removed."""
    left = exists().where(Shard.upload_id == upload.id, ~Shard.is_gone)
    return upload.discarded_at is not None and not session.scalar(select(left))
