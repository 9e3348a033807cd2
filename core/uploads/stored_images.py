"""Where the bytes of an image are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.errors import NotFound
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.results import Result
from core.orm.uploads import PATH_START_CHARS, Image, Shard, Upload


@dataclass(frozen=True)
class StoredImage:
    """Where the bytes of an image are, and whether a job could read it; with `declared_bytes` they were not uploaded.

    With `discarded_at` the original counts as gone; with `thumbnails_key` there is a preview in its place.
    """

    image_id: int
    upload_uuid: UUID
    ordinal: int
    path: str
    blob_key: str
    offset: int
    n_bytes: int
    declared_bytes: int | None
    sha256: bytes
    is_readable: bool
    thumbnails_key: str | None
    discarded_at: datetime | None


def find_content(session: Session, upload: UUID, path: str) -> tuple[str, Image] | None:
    """Find the blob and the image of a path in an upload; the first one, if several have it."""
    row = session.execute(
        select(Shard.blob_key, Image)
        .join(Shard, Shard.id == Image.shard_id)
        .join(Upload, Upload.id == Image.upload_id)
        .where(Upload.uuid == upload, Image.path_start == path[:PATH_START_CHARS], Image.path == path)
        .order_by(Image.ordinal)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def get_image(session: Session, image_id: int) -> StoredImage:
    """Where to find an image's bytes.

    Raises:
        NotFound: There is no such image, or it was deleted.
    """
    good = (Result.image_id == Image.id) & Result.error_code.is_(None)
    readable = (
        select(Job.id).join(Result, Result.job_id == Job.id).where(Job.upload_id == Image.upload_id, good).exists()
        | select(Prediction.sha256).where(Prediction.sha256 == Image.sha256).exists()
    )
    row = session.execute(
        select(Image, Upload.uuid, Shard.blob_key, readable, Shard.thumbnails_key, Upload.discarded_at)
        .join(Shard, Shard.id == Image.shard_id)
        .join(Upload, Upload.id == Image.upload_id)
        .where(Image.id == image_id, Upload.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no image {image_id}.")
    image, upload_uuid, blob_key, is_readable, thumbnails_key, discarded_at = row
    return StoredImage(
        image_id=image.id,
        upload_uuid=upload_uuid,
        ordinal=image.ordinal,
        path=image.path,
        blob_key=blob_key,
        offset=image.offset,
        n_bytes=image.n_bytes,
        declared_bytes=image.declared_bytes,
        sha256=image.sha256,
        is_readable=bool(is_readable),
        thumbnails_key=thumbnails_key,
        discarded_at=discarded_at,
    )
