"""The search for near-duplicates among labelled images, before any of them gets a split, and among unlabelled ones.

    contents ─► sketches: known ones, those stored with features, the rest from pixels ─► pairs ─► splits

Trainings record the sketches of labelled images alone. An image with a recorded sketch has been compared with all
others that have one.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from core.base.errors import ImageError
from core.evaluation import label_quality
from core.training import features, near_duplicates
from core.training.claims import Claim
from core.training.datasets import Content
from model.arrays.near_duplicates import SIDE, find_pairs, sketch
from worker.process.runtime import Runtime
from worker.training.decoded_images import DecodedImages
from worker.training.stored_images import decode_located, locate_contents
from worker.training.training_lease import TrainingLease

DECODED_PX = 2 * SIDE
MAX_UNLABELLED = 5000


def find_near_duplicates(
    runtime: Runtime,
    claim: Claim,
    contents: Sequence[Content],
    lease: TrainingLease | None = None,
    decoded: DecodedImages | None = None,
) -> None:
    """Compare all contents with each other, and give near-duplicates the same split.

    Args:
        runtime: Of this process.
        claim: Of the job.
        contents: Labelled contents.
        lease: Receives progress.
        decoded: Knows the size of each image, and keeps the pixels that are decoded here.
    Raises:
        TrainingStopped: There is no reason to continue.
    """
    labelled = {content.sha256 for content in contents}
    with runtime.db.read() as session:
        known = near_duplicates.find_sketches(session, labelled)
    new = features.find_sketches(runtime.db, runtime.blobs, labelled - known.keys())
    missing = [content for content in contents if content.sha256 not in known and content.sha256 not in new]
    new |= _compute_sketches(runtime, claim, missing, lease, decoded)
    if not new:  # all have been compared with each other before
        return
    grouped = _find_sketches(runtime, set(), known | new)
    _record_pairs(runtime, known | new | grouped, new, lease)


def group_unlabelled(runtime: Runtime, labelled: Collection[bytes]) -> None:
    """Group the unlabelled images of the newest jobs with the labelled ones that they are near-duplicates of.

    Only sketches from classification are compared; no image is read.
    """
    with runtime.db.read() as session:
        unlabelled = label_quality.list_unlabelled(session, MAX_UNLABELLED)
    sketches = _find_sketches(runtime, {*labelled, *unlabelled}, {})
    if not sketches.keys().isdisjoint(unlabelled):
        _record_pairs(runtime, sketches, {})


def _find_sketches(runtime: Runtime, contents: set[bytes], loaded: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The stored sketches of these contents and of all that are in a group, without those already loaded."""
    with runtime.db.read() as session:
        contents = (contents | near_duplicates.list_duplicates(session)) - loaded.keys()
        known = near_duplicates.find_sketches(session, contents)
    return known | features.find_sketches(runtime.db, runtime.blobs, contents - known.keys())


def _record_pairs(
    runtime: Runtime, sketches: Mapping[bytes, bytes], new: Mapping[bytes, bytes], lease: TrainingLease | None = None
) -> None:
    def on_progress(n_done: int) -> None:
        if lease is not None:
            lease.report("comparing", n_done, len(contents))

    contents = sorted(sketches)
    greys = np.frombuffer(b"".join(sketches[sha256] for sha256 in contents), np.uint8).reshape(-1, SIDE, SIDE)
    pairs = [(contents[i], contents[j]) for i, j in find_pairs(greys, on_progress)]
    with runtime.db.write() as session:
        near_duplicates.add_sketches(session, new)
        near_duplicates.record_groups(session, contents, pairs)


def _compute_sketches(
    runtime: Runtime,
    claim: Claim,
    missing: Sequence[Content],
    lease: TrainingLease | None,
    decoded: DecodedImages | None,
) -> dict[bytes, bytes]:
    """Sketches from pixels; an image that cannot be read has none."""
    located = locate_contents(runtime, missing)
    side_of = (lambda _: DECODED_PX) if decoded is None else decoded.side_of
    sketches: dict[bytes, bytes] = {}
    for number, (content, pixels) in enumerate(decode_located(runtime, located, side_of)):
        if decoded is not None:
            decoded.add(content.sha256, pixels)
        if not isinstance(pixels, ImageError):
            sketches[content.sha256] = sketch(pixels[None]).tobytes()
        if lease is not None:
            lease.report("decoding", number + 1, len(located))
    return sketches
