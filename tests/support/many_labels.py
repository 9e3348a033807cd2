"""Ten thousand labelled contents whose features are in the store, without as many pictures."""

import io
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

import model
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.models import registry
from core.orm.uploads import Image, Shard
from core.storage.blobs import Blobs, shard_key
from core.training import features
from core.training.features import FeatureBlob
from core.uploads import uploads
from model.architectures.head_outputs import class_logits_of
from model.artifacts.weights import unpack_weights
from tests.support.actors import as_owner
from tests.support.factories import make_tar
from tests.support.fakes import FakeRuntime

PRETRAINED = Path(next(iter(model.__path__))) / "pretrained"
BODY = "ef" * 32
SHARD = 250


def draw_features(n: int, weights: Mapping[str, NDArray[np.float32]], seed: int = 0) -> NDArray[np.float16]:
    """(n, 1280), as rectified and pooled features are: never negative, mostly small; the head leans to both sides."""
    random = np.random.default_rng(seed)
    rows = np.maximum(random.normal(0.3, 0.5, (n, 1280)), 0).astype(np.float32)
    kernel = weights["dog.kernel"].astype(np.float32)
    lean = class_logits_of("efficientnet-lite0", weights, rows)
    return np.maximum(rows + np.sign(lean - np.median(lean)) * 3 * kernel.T, 0).astype(np.float16)


def draw_sketches(n: int) -> NDArray[np.uint8]:
    """(n, 32, 32): large blotches, so that many are somewhat alike, as photographs are, and noise: none is a twin."""
    random = np.random.default_rng(2)
    blotches = random.normal(128, 50, (n, 4, 4)).repeat(8, axis=1).repeat(8, axis=2)
    return np.clip(blotches + random.normal(0, 45, blotches.shape), 0, 255).astype(np.uint8)


def make_many(runtime: FakeRuntime, blobs: Blobs, n: int) -> UUID:
    """A labelled upload of n contents, three labels in a hundred wrong, with features of the large network, in use.

    Nobody has compared them with each other yet: the first training looks for near-duplicates among them.
    """
    manifests = registry.store_weights(blobs, PRETRAINED, "efficientnet-lite0")
    with runtime.db.write() as session:
        version = registry.register_shipped(session, manifests)[0]
        features.note_body(session, version.id, BODY)
        weights = unpack_weights(bytes(blobs.get(registry.weights_key(version.digest))))
    rows = draw_features(n, weights)
    lean = class_logits_of("efficientnet-lite0", weights, rows)[:, 0]
    is_wrong = np.random.default_rng(1).random(n) < 0.03
    kinds = np.where((lean > np.median(lean)) != is_wrong, "dogs", "cats")
    sketches = draw_sketches(n)
    uuid = uuid4()
    with runtime.db.write() as session:
        uploads.create_upload(session, as_owner(session), uuid, "many", True)
    for seq, start in enumerate(range(0, n, SHARD)):
        some = range(start, min(start + SHARD, n))
        tar = make_tar({f"many/{kinds[i]}/{i}.jpg": b"\xff\xd8\xff\xe0 %d \xff\xd9" % i for i in some})
        key = shard_key(uuid, seq)
        blobs.put(key, tar)
        with runtime.db.write() as session:
            shard_rows.add_shard(
                session,
                as_owner(session),
                uuid,
                seq,
                index_shard(io.BytesIO(tar).read, max_image_bytes=2**20),
                key,
                2**40,
            )
            shard_id = session.scalars(select(Shard.id).where(Shard.blob_key == key)).one()
            images = session.execute(select(Image.path, Image.sha256).where(Image.shard_id == shard_id)).all()
            key = features.new_key(session, shard_id)
            numbers = [int(Path(image.path).stem) for image in images]
            packed = features.pack([image.sha256 for image in images], rows[numbers], sketches[numbers])
            blobs.put(key, packed)
            features.add(session, FeatureBlob(shard_id, BODY, key, len(images), len(packed)))
    with runtime.db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), uuid, -(-n // SHARD))
    return uuid
