"""Features of labelled contents: stored ones, and missing ones computed and stored.

contents ─► stored features ─► missing ones: shards, each read once ─► pixels ─► network ─► a blob for each shard
                                   │                                │
                              deleted meanwhile: left out       ImageError: left out
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
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
from worker.training.stored_images import DecodedContent, decode_located, locate_contents
from worker.training.training_lease import TrainingLease

log = structlog.get_logger()


class ContentFeatures(NamedTuple):
    """Features of contents, in the order in which they were requested.

    Attributes:
        rows: float16 (N, F); zeros where an image cannot be read.
        is_known: bool (N,), whether it can.
        body: SHA-256 of the body that computed them.
    """

    rows: NDArray[np.float16]
    is_known: NDArray[np.bool_]
    body: str


def read_features(
    runtime: Runtime, claim: Claim, version: ModelVersion, contents: Sequence[Content], lease: TrainingLease
) -> ContentFeatures:
    """Features of all contents that can be read, by the body of a version. Missing ones are stored too.

    The network is only built if some are missing.

    Args:
        runtime: Of this process.
        claim: Of the job.
        version: Whose body computes the features.
        contents: The labelled contents.
        lease: Receives progress.
    Raises:
        BadWeights: The version cannot be used.
        TrainingStopped: There is no reason to continue.
    """
    body = runtime.networks.body_of(version)
    classifier = None if body else _open(runtime, version)
    body = classifier.body if classifier else str(body)
    lease.report("reading")
    known = features.find(runtime.db, runtime.blobs, body, [content.sha256 for content in contents])
    missing = [content for content in contents if content.sha256 not in known]
    if missing:
        lease.report("preparing")
        known |= dict(_compute(runtime, claim, classifier or _open(runtime, version), missing, lease))
    width = len(next(iter(known.values()))) if known else 0
    rows = np.zeros((len(contents), width), np.float16)
    is_known = np.array([content.sha256 in known for content in contents], bool)
    for index, content in enumerate(contents):
        if is_known[index]:
            rows[index] = known[content.sha256]
    return ContentFeatures(rows, is_known, body)


def _open(runtime: Runtime, version: ModelVersion) -> Classifier:
    classifier = runtime.networks.open(version)
    with runtime.db.write() as session:
        features.note_body(session, version.id, classifier.weights_body)
    return classifier


def _compute(
    runtime: Runtime, claim: Claim, classifier: Classifier, missing: Sequence[Content], lease: TrainingLease
) -> Iterator[tuple[bytes, NDArray[np.float16]]]:
    """Each content that can be read with its features, which are stored shard by shard."""
    located = locate_contents(runtime, missing)
    with runtime.db.read() as session:
        shards = features.find_shards(session, [content.image_id for _, content in located])
    located = [each for each in located if each[1].image_id in shards]  # some may have been deleted in between
    decoded = _report_each(decode_located(runtime, located, lambda _: classifier.side_px), len(located), lease)
    for shard_id, group in groupby(decoded, key=lambda each: shards[each[0].image_id]):
        computed = dict(_compute_batches(classifier, group))
        _store(runtime, shard_id, classifier.body, computed)
        yield from computed.items()


def _report_each(decoded: Iterable[DecodedContent], n_all: int, lease: TrainingLease) -> Iterator[DecodedContent]:
    """The same contents, each of which is a step once it was taken."""
    for number, each in enumerate(decoded, 1):
        yield each
        lease.report("decoding", number, n_all)


def _compute_batches(
    classifier: Classifier, decoded: Iterable[DecodedContent]
) -> Iterator[tuple[bytes, NDArray[np.float16]]]:
    good = ((content.sha256, pixels) for content, pixels in decoded if not isinstance(pixels, ImageError))
    while batch := list(islice(good, classifier.batch_size)):
        rows = classifier.predict_with_features(np.stack([pixels for _, pixels in batch])).features
        yield from zip((sha256 for sha256, _ in batch), rows, strict=True)


def _store(runtime: Runtime, shard_id: int, body: str, computed: dict[bytes, NDArray[np.float16]]) -> None:
    """Store features if possible; if not, they can be computed again."""
    if not computed:
        return
    try:
        packed = features.pack(list(computed), np.stack(list(computed.values())))
        with runtime.db.read() as session:
            kept = FeatureBlob(shard_id, body, features.new_key(session, shard_id), len(computed), len(packed))
        runtime.blobs.put(kept.blob_key, packed)
        try:
            with runtime.db.write() as session:
                features.add(session, kept)
        except IntegrityError:  # the upload has just been deleted
            runtime.blobs.delete([kept.blob_key])
    except Exception as error:  # a full disk or a store that does not answer costs time later, not this training
        log.warning("features_not_kept", shard_id=shard_id, reason=str(error))
