"""Features: what a network's body makes of pictures, kept so that a new head can be fitted in seconds.

    worker: a chunk's features ─► blob next to the shard ─► row, in the transaction that records the results
    training: contents ─► images ─► shards ─► blobs ─► rows of features

Kept by content, by the body's digest and by the number of the decoding rules: those of another number are not used, and
deleted with the next clean-up. A body in int8 has a digest of its own (core/models/conversions.py), since its features
are not those of the same body in float32. They can always be computed again, so losing some costs time alone.
"""

import io
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, union, update
from sqlalchemy.orm import Session

from core.base.database import Database, slices
from core.base.errors import BlobMissing
from core.decoding.decoded import DECODING
from core.orm.models import Conversion, ModelVersion
from core.orm.training import ShardFeatures
from core.orm.uploads import Image, Shard
from core.storage.blobs import Blobs, features_key

SLICE = 500


@dataclass(frozen=True)
class FeatureBlob:
    """A blob of features that a worker has stored, for `add`.

    Attributes:
        body: SHA-256 of the network's body as it computes.
        n_images: How many images were looked at, those that cannot be read among them.
        n_bytes: Of the blob.
    """

    shard_id: int
    body: str
    blob_key: str
    n_images: int
    n_bytes: int = 0


def pack(contents: Sequence[bytes], features: NDArray[np.float16], sketches: NDArray[np.uint8] | None = None) -> bytes:
    """Contents (N SHA-256), their features (N, F) and perhaps their sketches (N, 32, 32) as an .npz archive."""
    data = io.BytesIO()
    digests = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 32)
    more = {} if sketches is None else {"sketches": sketches}
    np.savez(data, allow_pickle=False, contents=digests, features=features, **more)
    return data.getvalue()


def unpack(data: bytes | memoryview) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """What `pack` packed: contents uint8 (N, 32) and features float16 (N, F)."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return archive["contents"], archive["features"]


def new_key(session: Session, shard_id: int) -> str:
    """A fresh key for features of a shard."""
    return features_key(session.scalars(select(Shard.blob_key).where(Shard.id == shard_id)).one())


def add(session: Session, kept: FeatureBlob) -> None:
    """Add the row of a blob; call it in the transaction that records what it belongs to."""
    session.execute(insert(ShardFeatures), asdict(kept) | {"decoding": DECODING})


def find_shards(session: Session, image_ids: Sequence[int]) -> dict[int, int]:
    """The shard of each image that still exists."""
    shards: dict[int, int] = {}
    for some in slices(image_ids):
        rows = session.execute(select(Image.id, Image.shard_id).where(Image.id.in_(some)))
        shards |= {row.id: row.shard_id for row in rows}
    return shards


def note_body(session: Session, version_id: int, body: str) -> None:
    """Note the body of a version that was loaded; it never changes."""
    there = (ModelVersion.id == version_id) & ModelVersion.body.is_(None)
    session.execute(update(ModelVersion).where(there).values(body=body))


def find(db: Database, blobs: Blobs, body: str, contents: Collection[bytes]) -> dict[bytes, NDArray[np.float16]]:
    """The features (F,) of those contents that have some; blobs that are gone or damaged are forgotten."""
    asked, rows_of = set(contents), dict[bytes, NDArray[np.float16]]()
    with db.read() as session:
        rows = list(_find_blobs(session, body, asked))
    lost = []
    for row_id, blob_key in rows:
        try:
            digests, features = unpack(blobs.get(blob_key))
        except (BlobMissing, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            lost.append(row_id)
            continue
        for digest, row in zip(digests, features, strict=True):
            if (content := digest.tobytes()) in asked:
                rows_of.setdefault(content, row)
    if lost:
        with db.write() as session:
            session.execute(delete(ShardFeatures).where(ShardFeatures.id.in_(lost)))
    return rows_of


def find_sketches(db: Database, blobs: Blobs, contents: Collection[bytes]) -> dict[bytes, bytes]:
    """The sketches that are kept with features of any body."""
    asked, sketches = set(contents), dict[bytes, bytes]()
    with db.read() as session:
        keys = sorted({key for body in _bodies(session) for _, key in _find_blobs(session, body, asked)})
    for key in keys:
        try:
            with np.load(io.BytesIO(blobs.get(key)), allow_pickle=False) as archive:
                rows = zip(archive["contents"], archive["sketches"], strict=True) if "sketches" in archive else ()
                sketches |= {digest.tobytes(): sketch.tobytes() for digest, sketch in rows if digest.tobytes() in asked}
        except (BlobMissing, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue
    return sketches


def _bodies(session: Session) -> list[str]:
    return list(session.scalars(select(ShardFeatures.body).distinct()))


def count_kept(session: Session, bodies: Collection[str], contents: Collection[bytes]) -> int:
    """How many of the contents have features by one of these bodies, as far as rows show."""
    n = 0
    for some in slices(sorted(contents)) if bodies else ():
        there = select(Image.sha256).join(ShardFeatures, ShardFeatures.shard_id == Image.shard_id)
        kept = there.where(is_usable(*bodies), Image.sha256.in_(some)).distinct()
        n += session.scalars(select(func.count()).select_from(kept.subquery())).one()
    return n


def is_usable(*bodies: str) -> ColumnElement[bool]:
    """The condition that features are of one of these bodies, and of pixels as they are decoded now."""
    return ShardFeatures.body.in_(bodies) & (ShardFeatures.decoding == DECODING)


def _find_blobs(session: Session, body: str, contents: Collection[bytes]) -> Iterator[tuple[int, str]]:
    """Each blob of this body over a shard that has one of the contents, once."""
    seen: set[int] = set()
    for some in slices(sorted(contents)):
        query = (
            select(ShardFeatures.id, ShardFeatures.blob_key)
            .join(Image, Image.shard_id == ShardFeatures.shard_id)
            .where(is_usable(body), Image.sha256.in_(some))
            .distinct()
        )
        for row_id, blob_key in session.execute(query):
            if row_id not in seen:
                seen.add(row_id)
                yield row_id, blob_key


def forget_unused(db: Database, blobs: Blobs) -> None:
    """Remove features that no version there is could use: of bodies whose last version was deleted, of other pixels."""
    is_alive = ModelVersion.deleted_at.is_(None)
    used = union(
        select(ModelVersion.body).where(is_alive, ModelVersion.body.is_not(None)),
        select(Conversion.digest)
        .join(ModelVersion, ModelVersion.id == Conversion.model_version_id)
        .where(is_alive, Conversion.digest.is_not(None)),
    )
    is_unused = or_(ShardFeatures.body.not_in(used), ShardFeatures.decoding < DECODING)
    unused = select(ShardFeatures.id, ShardFeatures.blob_key).where(is_unused).limit(SLICE)
    while True:
        with db.read() as session:
            rows = session.execute(unused).all()
        if not rows:
            return
        blobs.delete([row.blob_key for row in rows])
        with db.write() as session:
            session.execute(delete(ShardFeatures).where(ShardFeatures.id.in_([row.id for row in rows])))
