"""What a training learns from, as arrays: contents chosen once, then read shard by shard and decoded.

    labels in SQL ─► samples, kept as a blob ─► shards ─► pixels of the training, validation and judging part

The samples are chosen at the first start and kept, so that a training that goes on after a kill sees the same pictures
in the same order, whatever has been labelled meanwhile.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray

from core import datasets, training_claims, twins
from core.datasets import MAX_UNREADABLE, Place
from core.errors import BlobMissing, ErrorCode, ImageError, Invalid
from core.labels import NEITHER
from core.networks import CLASSES
from core.parts import Part, assign_parts
from core.training_claims import Claim
from model.train import Examples
from worker.decoding import Decoder, decode_stored, map_decoded
from worker.memory import PixelStore
from worker.runtime import Runtime
from worker.twins import look_for_twins
from worker.watch import Watch

PARTS = tuple(Part)
NAMES = (*CLASSES, NEITHER)  # what the numbers of labels stand for; `model.losses` says the same


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

    def count(self, part: Part) -> int:
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

    by_part: dict[Part, Examples]
    failed: Counter[ErrorCode] = field(default_factory=Counter)

    def of_classes(self, part: Part) -> Examples:
        """The part without pictures of neither."""
        images, labels = self.by_part[part]
        ours = labels < len(CLASSES)
        return Examples(images, labels) if ours.all() else Examples(images[ours], labels[ours])

    def of_neither(self, part: Part) -> NDArray[np.uint8] | None:
        """The pictures of neither in a part; None when there is none."""
        images, labels = self.by_part[part]
        others = labels == len(CLASSES)
        return images[others] if others.any() else None


def find_samples(runtime: Runtime, claim: Claim, watch: Watch | None = None) -> Samples:
    """The samples of a training: those of its first start, or chosen now.

    Raises:
        Invalid: There is too little to learn from.
        LeaseLost: The claim is no longer valid.
    """
    with runtime.db.read() as session:
        key = training_claims.get_training(session, claim).data_key
    if key is not None:
        with np.load(io.BytesIO(runtime.blobs.get(key)), allow_pickle=False) as kept:
            return Samples(**kept)
    with runtime.db.write() as session:
        found = training_claims.choose_data(session, claim).contents
    look_for_twins(runtime, claim, found, watch)
    with runtime.db.write() as session:
        bridges = twins.find_bridges(session)
        chosen = [content for content in found if content.sha256 not in bridges]
        parts = assign_parts(session, [content.sha256 for content in chosen])
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
        training_claims.keep_data(session, claim, key)
    return samples


def read_pixels(
    runtime: Runtime, claim: Claim, samples: Samples, sides: dict[Part, int], store: PixelStore, watch: Watch
) -> Pixels:
    """Decode all samples.

    Args:
        store: Gives room for the pixels.
        sides: Height and width in pixels to decode each part to.
    Raises:
        Invalid: Too many pictures cannot be read, or there is no room for their pixels.
        BlobMissing: An upload has been deleted.
        TrainingStopped: There is no reason to go on.
    """
    images = {part: store.make_pictures(samples.count(part), sides[part]) for part in PARTS}
    labels: dict[Part, list[int]] = {part: [] for part in PARTS}
    failed: Counter[ErrorCode] = Counter()
    n = len(samples.labels)

    def decode_one(decode: Decoder, one: tuple[int, Place, memoryview]) -> tuple[int, NDArray[np.uint8] | ImageError]:
        index, place, data = one
        try:
            return index, decode_stored(place, data, decode, sides[PARTS[samples.parts[index]]])
        except ImageError as error:
            return index, error

    decoded = map_decoded(runtime.settings, claim.attempts, decode_one, _read(runtime, samples), n)
    for number, (index, found) in enumerate(decoded):
        part = PARTS[samples.parts[index]]
        if isinstance(found, ImageError):
            failed[found.code] += 1
        else:
            images[part][len(labels[part])] = found
            labels[part].append(int(samples.labels[index]))
        watch.say("decoding", number + 1, n)
    by_part = {part: Examples(images[part][: len(said)], np.array(said, np.int64)) for part, said in labels.items()}
    _check_enough(by_part, failed, n)
    return Pixels(by_part, failed)


def _read(runtime: Runtime, samples: Samples) -> Iterator[tuple[int, Place, memoryview]]:
    """Each sample with its shard, every shard read once; always in the same order."""
    with runtime.db.read() as session:
        places = datasets.find_places(session, samples.image_ids.tolist())
    if len(places) != len(samples.image_ids):
        raise BlobMissing("Some of the pictures have been deleted since the training was created. Start another one.")
    in_order = sorted(
        ((index, places[image_id]) for index, image_id in enumerate(samples.image_ids.tolist())),
        key=lambda sample: (sample[1].blob_key, sample[1].offset),
    )
    for blob_key, together in groupby(in_order, key=lambda sample: sample[1].blob_key):
        data = runtime.blobs.get(blob_key)
        for index, place in together:
            yield index, place, data


def _check_enough(by_part: dict[Part, Examples], failed: Counter[ErrorCode], n_samples: int) -> None:
    n_failed = failed.total()
    if n_failed > MAX_UNREADABLE * n_samples:
        reasons = ", ".join(f"{code}: {n}" for code, n in failed.most_common())
        raise Invalid(
            f"{n_failed} of {n_samples} pictures cannot be read ({reasons}); up to {MAX_UNREADABLE:.0%} would be"
            " left out, more are a sign that something is wrong. Copy them again from where they came, or remove them."
        )
    for part, (_, labels) in by_part.items():
        found = set(labels.tolist()) - {len(CLASSES)}
        if not found or (part == Part.TRAINING and len(found) < len(CLASSES)):
            raise Invalid(
                f"Of the pictures that can be read, too few belong to the {part} part: {len(labels)} of {n_samples}."
                " Add pictures; a hundred are enough."
            )
