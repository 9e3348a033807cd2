"""What a training learns from, as arrays: contents chosen once, then read shard by shard and decoded.

    labels in SQL ─► samples, kept as a blob ─► pixels in an album ─► those of training, validation and judging part

The samples are chosen at the first start and kept, so that a training that goes on after a kill sees the same pictures
in the same order, whatever has been labelled meanwhile.
"""

import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray

from core.base.errors import BlobMissing, ErrorCode, Invalid
from core.base.network_catalog import CLASSES
from core.labels.labels import NEITHER
from core.training import claims, near_duplicates
from core.training.claims import Claim
from core.training.datasets import MAX_UNREADABLE, Content
from core.training.splits import Split, assign_splits, find_splits
from model.arrays.image_arrays import Chosen
from model.training.train import Examples
from worker.process.runtime import Runtime
from worker.training.decoded_images import Album
from worker.training.lease import Watch
from worker.training.near_duplicates import look_for_twins
from worker.training.stored_images import decode_places, locate

PARTS = tuple(Split)
NAMES = (*CLASSES, NEITHER)  # what the numbers of labels stand for; `model.training.losses` says the same


@dataclass(frozen=True, slots=True)
class Samples:
    """The contents of a training.

    Attributes:
        image_ids: int64 (N,), one image for each content.
        contents: uint8 (N, 32), SHA-256.
        labels: int8 (N,), indices of `NAMES`.
        parts: int8 (N,), indices of `PARTS`.
    """

    image_ids: NDArray[np.int64]
    contents: NDArray[np.uint8]
    labels: NDArray[np.int8]
    parts: NDArray[np.int8]

    def as_contents(self) -> list[Content]:
        """In their order, each with its label."""
        return [
            Content(int(image_id), content.tobytes(), NAMES[label])
            for image_id, content, label in zip(self.image_ids, self.contents, self.labels, strict=True)
        ]

    def count(self, part: Split) -> int:
        """How many contents the part has."""
        return int((self.parts == PARTS.index(part)).sum())

    def count_classes(self) -> dict[str, int]:
        """How many contents each class has, and neither if there are any."""
        counts = {name: int((self.labels == index).sum()) for index, name in enumerate(NAMES)}
        return {name: n for name, n in counts.items() if name in CLASSES or n}

    def digest(self) -> str:
        """SHA-256 over the sorted hashes of all contents with their labels: names the data."""
        lines = (content.tobytes() + bytes([label]) for content, label in zip(self.contents, self.labels, strict=True))
        return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


@dataclass
class Pixels:
    """The pictures of a training by part, and why some could not be read."""

    images: dict[Split, Chosen]
    labels: dict[Split, NDArray[np.int64]]
    failed: Counter[ErrorCode] = field(default_factory=Counter)

    def of(self, part: Split) -> Examples:
        """The part, pictures of neither included."""
        return Examples(self.images[part], self.labels[part])

    def of_classes(self, part: Split) -> Examples:
        """The part without pictures of neither."""
        ours = self.labels[part] < len(CLASSES)
        return Examples(self.images[part].keep(ours), self.labels[part][ours])

    def of_neither(self, part: Split) -> Chosen | None:
        """The pictures of neither in a part; None when there is none."""
        others = self.labels[part] == len(CLASSES)
        return self.images[part].keep(others) if others.any() else None


def find_samples(runtime: Runtime, claim: Claim, watch: Watch | None = None, album: Album | None = None) -> Samples:
    """The samples of a training: those of its first start, or chosen now.

    Args:
        album: Keeps what is decoded of them meanwhile.
    Raises:
        Invalid: There is too little to learn from.
        LeaseLost: The claim is no longer valid.
    """
    with runtime.db.read() as session:
        key = claims.get_training(session, claim).data_key
    if key is not None:
        with np.load(io.BytesIO(runtime.blobs.get(key)), allow_pickle=False) as kept:
            return Samples(**kept)
    with runtime.db.write() as session:
        found = claims.choose_data(session, claim).contents
    if album is not None:
        with runtime.db.read() as session:
            album.expect(find_splits(session, [content.sha256 for content in found]))
    look_for_twins(runtime, claim, found, watch, album)
    with runtime.db.write() as session:
        bridges = near_duplicates.find_bridges(session)
        chosen = [content for content in found if content.sha256 not in bridges]
        parts = assign_splits(session, [content.sha256 for content in chosen])
    samples = Samples(
        image_ids=np.array([content.image_id for content in chosen], np.int64),
        contents=np.frombuffer(b"".join(content.sha256 for content in chosen), np.uint8).reshape(-1, 32),
        labels=np.array([NAMES.index(content.label) for content in chosen], np.int8),
        parts=np.array([PARTS.index(parts[content.sha256]) for content in chosen], np.int8),
    )
    arrays = {name: getattr(samples, name) for name in Samples.__dataclass_fields__}
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    key = f"{claim.blob_prefix}samples-{token_hex(8)}.npz"
    runtime.blobs.put(key, out.getvalue())
    with runtime.db.write() as session:
        claims.keep_data(session, claim, key)
    return samples


def read_pixels(runtime: Runtime, claim: Claim, samples: Samples, album: Album, watch: Watch) -> Pixels:
    """Decode all samples that are not in the album yet.

    Raises:
        Invalid: Too many pictures cannot be read, or there is no room for their pixels.
        BlobMissing: An upload has been deleted.
        TrainingStopped: There is no reason to go on.
    """
    contents = samples.as_contents()
    part_of = {one.sha256: PARTS[part] for one, part in zip(contents, samples.parts, strict=True)}
    album.expect(part_of)
    there = locate(runtime, contents)
    missing = [one for one in there if album.lacks(one[1].sha256)]
    for number, (content, found) in enumerate(decode_places(runtime, claim.attempts, missing, album.side_of)):
        album.add(content.sha256, found)
        watch.say("decoding", number + 1, len(missing))
    if len(there) < len(contents) or any(map(album.lacks, part_of)):
        raise BlobMissing("Some of the pictures have been deleted since the training was created. Start another one.")
    pixels = _share_out([content for _, content in there], part_of, album)
    _check_enough(pixels, len(contents))
    return pixels


def _share_out(contents: list[Content], part_of: dict[bytes, Split], album: Album) -> Pixels:
    """The pictures of each part, in the order of the contents."""
    failed = Counter(album.failures_of(part_of))
    images, labels = {}, {}
    for part in PARTS:
        readable = [one for one in contents if part_of[one.sha256] == part and one.sha256 not in album.failed]
        images[part] = album.choose(part, [one.sha256 for one in readable])
        labels[part] = np.array([NAMES.index(one.label) for one in readable], np.int64)
    return Pixels(images, labels, failed)


def _check_enough(pixels: Pixels, n_samples: int) -> None:
    n_failed = pixels.failed.total()
    if n_failed > MAX_UNREADABLE * n_samples:
        reasons = ", ".join(f"{code}: {n}" for code, n in pixels.failed.most_common())
        raise Invalid(
            f"{n_failed} of {n_samples} pictures cannot be read ({reasons}); up to {MAX_UNREADABLE:.0%} would be"
            " left out, more are a sign that something is wrong. Copy them again from where they came, or remove them."
        )
    for part, labels in pixels.labels.items():
        found = set(labels.tolist()) - {len(CLASSES)}
        if not found or (part == Split.TRAINING and len(found) < len(CLASSES)):
            raise Invalid(
                f"Of the pictures that can be read, too few belong to the {part} part: {len(labels)} of {n_samples}."
                " Add pictures; a hundred are enough."
            )
