"""Looking for near-duplicates among labelled pictures, before any of them gets a part; and among unlabelled ones.

contents ─► sketches: known ones, those kept with features, the rest from pixels ─► pairs ─► parts

Trainings write sketches down, of labelled pictures alone: whoever has one was compared with all that have one.
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
from worker.training.decoded_images import Album
from worker.training.lease import Watch
from worker.training.stored_images import decode_places, locate

DECODED_PX = 2 * SIDE
MAX_UNLABELLED = 5000


def look_for_twins(
    runtime: Runtime,
    claim: Claim,
    contents: Sequence[Content],
    watch: Watch | None = None,
    album: Album | None = None,
) -> None:
    """Compare all contents with each other, and let those that are nearly the same share a part.

    Args:
        album: Says to which size pictures are decoded, and keeps them.
    Raises:
        TrainingStopped: There is no reason to go on.
    """
    wanted = {content.sha256 for content in contents}
    with runtime.db.read() as session:
        known = near_duplicates.find_sketches(session, wanted)
    new = features.find_sketches(runtime.db, runtime.blobs, wanted - known.keys())
    missing = [content for content in contents if content.sha256 not in known and content.sha256 not in new]
    new |= _draw(runtime, claim, missing, watch, album)
    if not new:  # all of them were compared with each other before
        return
    beside = _find_sketches(runtime, set(), known | new)
    _settle(runtime, known | new | beside, new, watch)


def group_unlabelled(runtime: Runtime, labelled: Collection[bytes]) -> None:
    """Group the pictures of the newest jobs that nobody labelled, with labelled ones that they are like.

    Only what was sketched as it was classified is compared: no picture is read.
    """
    with runtime.db.read() as session:
        unlabelled = label_quality.list_unlabelled(session, MAX_UNLABELLED)
    sketches = _find_sketches(runtime, {*labelled, *unlabelled}, {})
    if not sketches.keys().isdisjoint(unlabelled):
        _settle(runtime, sketches, {})


def _find_sketches(runtime: Runtime, wanted: set[bytes], besides: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The sketches that are kept of these contents and of all that are in a group, besides those at hand."""
    with runtime.db.read() as session:
        wanted = (wanted | near_duplicates.list_duplicates(session)) - besides.keys()
        known = near_duplicates.find_sketches(session, wanted)
    return known | features.find_sketches(runtime.db, runtime.blobs, wanted - known.keys())


def _settle(
    runtime: Runtime, sketches: Mapping[bytes, bytes], new: Mapping[bytes, bytes], watch: Watch | None = None
) -> None:
    def on_some(n_done: int) -> None:
        if watch is not None:
            watch.say("comparing", n_done, len(there))

    there = sorted(sketches)
    greys = np.frombuffer(b"".join(sketches[sha256] for sha256 in there), np.uint8).reshape(-1, SIDE, SIDE)
    pairs = [(there[i], there[j]) for i, j in find_pairs(greys, on_some)]
    with runtime.db.write() as session:
        near_duplicates.add_sketches(session, new)
        near_duplicates.record_groups(session, there, pairs)


def _draw(
    runtime: Runtime, claim: Claim, missing: Sequence[Content], watch: Watch | None, album: Album | None
) -> dict[bytes, bytes]:
    """Sketches from pixels; what cannot be read has none."""
    there = locate(runtime, missing)
    side_of = (lambda _: DECODED_PX) if album is None else album.side_of
    found: dict[bytes, bytes] = {}
    for number, (content, pixels) in enumerate(decode_places(runtime, claim.attempts, there, side_of)):
        if album is not None:
            album.add(content.sha256, pixels)
        if not isinstance(pixels, ImageError):
            found[content.sha256] = sketch(pixels[None]).tobytes()
        if watch is not None:
            watch.say("decoding", number + 1, len(there))
    return found
