"""The blobs that the rows of a database need."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.states import JobState
from core.orm.jobs import Job
from core.orm.models import Conversion, ModelVersion
from core.orm.training import ShardFeatures, Training
from core.orm.uploads import Shard, Upload
from core.storage.blobs import weights_key


@dataclass(frozen=True)
class NeededBlob:
    """A blob that a row names.

    Attributes:
        sha256: Its digest, where the row has it.
        is_optional: It is computed again if it is missing.
    """

    key: str
    sha256: bytes | None = None
    is_optional: bool = False


def list_needed(session: Session) -> Iterator[NeededBlob]:
    """Each blob once: pictures or what is left of them, their features, weights, states of trainings."""
    shards = select(Shard.blob_key, Shard.thumbnails_key, Shard.sha256).join(Upload, Upload.id == Shard.upload_id)
    of_uploads = shards.where(Upload.deleted_at.is_(None))
    for blob_key, thumbnails_key, sha256 in session.execute(of_uploads.order_by(Shard.id)):
        yield NeededBlob(thumbnails_key) if thumbnails_key else NeededBlob(blob_key, sha256)
    for key in session.scalars(select(ShardFeatures.blob_key).order_by(ShardFeatures.id)):
        yield NeededBlob(key, is_optional=True)
    is_there = ModelVersion.deleted_at.is_(None)
    converted = select(Conversion.digest).join(ModelVersion, ModelVersion.id == Conversion.model_version_id)
    for digests in (
        select(ModelVersion.digest).where(is_there),
        converted.where(is_there, Conversion.digest.is_not(None)).distinct(),
    ):
        for digest in session.scalars(digests):
            assert digest is not None
            yield NeededBlob(weights_key(digest), bytes.fromhex(digest))
    states = select(Training.data_key, Training.state_key).join(Job, Job.id == Training.job_id)
    for keys in session.execute(states.where(Job.deleted_at.is_(None), Job.state != JobState.DONE)):
        yield from (NeededBlob(key) for key in keys if key is not None)
