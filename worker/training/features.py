"""What a network's body makes of labelled pictures: kept features, and the missing ones computed and kept.

contents ─► kept features ─► missing ones: shards, each read once ─► pixels ─► network ─► a blob for each shard
                                 │                                │
                            deleted meanwhile: left out       ImageError: left out
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.exc import IntegrityError

from core.base.errors import ImageError
from core.orm.models import ModelVersion
from core.training import features
from core.training.claims import Claim
from core.training.datasets import Content
from core.training.features import FeatureBlob
from model.inference.classifier import Classifier
from worker.process.runtime import Runtime
from worker.training.lease import Watch
from worker.training.stored_images import Decoded, decode_places, locate

log = structlog.get_logger()


class Seen(NamedTuple):
    """Features of pictures, in the order in which they were asked for.

    Attributes:
        rows: float16 (N, F); zeros where a picture cannot be read.
        is_known: (N,), whether it can.
        body: SHA-256 of the body that they come from.
    """

    rows: NDArray[np.float16]
    is_known: NDArray[np.bool_]
    body: str


def see(runtime: Runtime, claim: Claim, version: ModelVersion, contents: Sequence[Content], watch: Watch) -> Seen:
    """Features of all contents that can be read, by the body of a version; what was missing is kept from now on.

    The network is only built when something is missing.

    Raises:
        BadWeights: The version cannot be used.
        TrainingStopped: There is no reason to go on.
    """
    classifier = None if version.body else _open(runtime, version)
    body = classifier.body if classifier else str(version.body)
    watch.say("reading")
    known = features.find(runtime.db, runtime.blobs, body, [content.sha256 for content in contents])
    missing = [content for content in contents if content.sha256 not in known]
    if missing:
        known |= dict(_compute(runtime, claim, classifier or _open(runtime, version), missing, watch))
    width = len(next(iter(known.values()))) if known else 0
    rows = np.zeros((len(contents), width), np.float16)
    is_known = np.array([content.sha256 in known for content in contents], bool)
    for index, content in enumerate(contents):
        if is_known[index]:
            rows[index] = known[content.sha256]
    return Seen(rows, is_known, body)


def _open(runtime: Runtime, version: ModelVersion) -> Classifier:
    classifier = runtime.networks.open(version)
    with runtime.db.write() as session:
        features.note_body(session, version.id, classifier.body)
    return classifier


def _compute(
    runtime: Runtime, claim: Claim, classifier: Classifier, missing: Sequence[Content], watch: Watch
) -> Iterator[tuple[bytes, NDArray[np.float16]]]:
    """Each content that can be read with its features, computed now; each shard's are kept when it is through."""
    there = locate(runtime, missing)
    with runtime.db.read() as session:
        shards = features.find_shards(session, [content.image_id for _, content in there])
    there = [one for one in there if one[1].image_id in shards]  # some may have been deleted in between
    n_done = 0

    def say() -> None:
        watch.say("decoding", n_done, len(there))

    decoded = decode_places(runtime, claim.attempts, there, lambda _: classifier.side_px)
    for shard_id, together in groupby(decoded, key=lambda one: shards[one[0].image_id]):
        of_shard = list(together)
        found = dict(_look(classifier, of_shard, say))
        n_done += len(of_shard)
        say()
        _keep(runtime, shard_id, classifier.body, found)
        yield from found.items()


def _look(
    classifier: Classifier, decoded: Sequence[Decoded], say: Callable[[], object]
) -> Iterator[tuple[bytes, NDArray[np.float16]]]:
    good = [(content.sha256, pixels) for content, pixels in decoded if not isinstance(pixels, ImageError)]
    size = classifier.sizes[-1]
    for start in range(0, len(good), size):
        say()
        some = good[start : start + size]
        rows = classifier.predict_with_features(np.stack([pixels for _, pixels in some])).features
        yield from zip((sha256 for sha256, _ in some), rows, strict=True)


def _keep(runtime: Runtime, shard_id: int, body: str, found: dict[bytes, NDArray[np.float16]]) -> None:
    """Keep features if that can be done: they can be computed again."""
    if not found:
        return
    try:
        packed = features.pack(list(found), np.stack(list(found.values())))
        with runtime.db.read() as session:
            kept = FeatureBlob(shard_id, body, features.new_key(session, shard_id), len(found), len(packed))
        runtime.blobs.put(kept.blob_key, packed)
        try:
            with runtime.db.write() as session:
                features.add(session, kept)
        except IntegrityError:  # the upload has just been deleted
            runtime.blobs.delete([kept.blob_key])
    except Exception as error:  # a full disk, a store that is away: it costs time later, not this training
        log.warning("features_not_kept", shard_id=shard_id, reason=str(error))
