"""The images of a training as arrays: contents chosen once, then read shard by shard and decoded.

    labels in SQL ─► samples, stored as a blob ─► decoded images ─► training, validation and test split

The samples are chosen at the first start and stored. So a training that resumes after a kill uses the same images in
the same order, even if labels have changed in the meantime. In rows and files the test split is called `judging`.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Mapping
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
from model.arrays.image_arrays import ImageSubset
from model.training.examples import Examples
from worker.process.runtime import Runtime
from worker.training.decoded_images import DecodedImages
from worker.training.near_duplicates import find_near_duplicates
from worker.training.stored_images import decode_located, locate_contents
from worker.training.training_lease import TrainingLease

SPLITS = tuple(Split)
LABEL_NAMES = (*CLASSES, NEITHER)  # by the numbers of labels, the same as in `model.training.losses`


@dataclass(frozen=True, slots=True)
class Samples:
    """The contents of a training.

    Attributes:
        image_ids: int64 (N,), one image for each content.
        contents: uint8 (N, 32), SHA-256.
        labels: int8 (N,), indices of `NAMES`.
        parts: int8 (N,), the splits, indices of `SPLITS`.
    """

    image_ids: NDArray[np.int64]
    contents: NDArray[np.uint8]
    labels: NDArray[np.int8]
    parts: NDArray[np.int8]

    def as_contents(self) -> list[Content]:
        """The contents in their order, each with its label."""
        return [
            Content(int(image_id), content.tobytes(), LABEL_NAMES[label])
            for image_id, content, label in zip(self.image_ids, self.contents, self.labels, strict=True)
        ]

    def count(self, split: Split) -> int:
        """Number of contents in a split."""
        return int((self.parts == SPLITS.index(split)).sum())

    def count_classes(self) -> dict[str, int]:
        """Number of contents of each class, and of neither if there are any."""
        counts = {name: int((self.labels == index).sum()) for index, name in enumerate(LABEL_NAMES)}
        return {name: n for name, n in counts.items() if name in CLASSES or n}

    def digest(self) -> str:
        """SHA-256 over the sorted hashes of all contents with their labels, which identifies the data."""
        lines = (content.tobytes() + bytes([label]) for content, label in zip(self.contents, self.labels, strict=True))
        return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


@dataclass
class Pixels:
    """The images of a training by split, and the errors of those that cannot be read."""

    images: dict[Split, ImageSubset]
    labels: dict[Split, NDArray[np.int64]]
    failed: Counter[ErrorCode] = field(default_factory=Counter)

    def of(self, split: Split) -> Examples:
        """The split, with images of neither class."""
        return Examples(self.images[split], self.labels[split])

    def of_classes(self, split: Split) -> Examples:
        """The split without images of neither class."""
        has_class = self.labels[split] < len(CLASSES)
        return Examples(self.images[split].keep(has_class), self.labels[split][has_class])

    def of_neither(self, split: Split) -> ImageSubset | None:
        """The images of neither class in a split; None if there are none."""
        is_neither = self.labels[split] == len(CLASSES)
        return self.images[split].keep(is_neither) if is_neither.any() else None


def find_samples(
    runtime: Runtime, claim: Claim, lease: TrainingLease | None = None, decoded: DecodedImages | None = None
) -> Samples:
    """The samples of a training: the stored ones, or newly chosen ones at its first start.

    Args:
        runtime: Of this process.
        claim: Of the job.
        lease: Receives progress.
        decoded: Keeps the pixels that the search for near-duplicates decodes.
    Raises:
        Invalid: There are too few labelled images.
        LeaseLost: The claim is no longer valid.
    """
    with runtime.db.read() as session:
        key = claims.get_training(session, claim).data_key
    if key is not None:
        with np.load(io.BytesIO(runtime.blobs.get(key)), allow_pickle=False) as archive:
            return Samples(**archive)
    with runtime.db.write() as session:
        labelled = claims.choose_data(session, claim).contents
    if decoded is not None:
        with runtime.db.read() as session:
            decoded.expect(find_splits(session, [content.sha256 for content in labelled]))
    find_near_duplicates(runtime, claim, labelled, lease, decoded)
    with runtime.db.write() as session:
        bridges = near_duplicates.find_bridges(session)
        contents = [content for content in labelled if content.sha256 not in bridges]
        splits = assign_splits(session, [content.sha256 for content in contents])
    samples = Samples(
        image_ids=np.array([content.image_id for content in contents], np.int64),
        contents=np.frombuffer(b"".join(content.sha256 for content in contents), np.uint8).reshape(-1, 32),
        labels=np.array([LABEL_NAMES.index(content.label) for content in contents], np.int8),
        parts=np.array([SPLITS.index(splits[content.sha256]) for content in contents], np.int8),
    )
    _store(runtime, claim, samples)
    return samples


def _store(runtime: Runtime, claim: Claim, samples: Samples) -> None:
    arrays = {name: getattr(samples, name) for name in Samples.__dataclass_fields__}
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    key = f"{claim.blob_prefix}samples-{token_hex(8)}.npz"
    runtime.blobs.put(key, out.getvalue())
    with runtime.db.write() as session:
        claims.keep_data(session, claim, key)


def read_pixels(
    runtime: Runtime, claim: Claim, samples: Samples, decoded: DecodedImages, lease: TrainingLease
) -> Pixels:
    """Decode all samples that have not been decoded yet.

    Args:
        runtime: Of this process.
        claim: Of the job.
        samples: Of the training.
        decoded: The images decoded so far.
        lease: Receives progress.
    Raises:
        Invalid: Too many images cannot be read, or there is not enough memory for their pixels.
        BlobMissing: An upload has been deleted.
        TrainingStopped: There is no reason to continue.
    """
    contents = samples.as_contents()
    split_of = {content.sha256: SPLITS[split] for content, split in zip(contents, samples.parts, strict=True)}
    decoded.expect(split_of)
    located = locate_contents(runtime, contents)
    missing = [each for each in located if decoded.lacks(each[1].sha256)]
    for number, (content, pixels) in enumerate(decode_located(runtime, missing, decoded.side_of)):
        decoded.add(content.sha256, pixels)
        lease.report("decoding", number + 1, len(missing))
    if len(located) < len(contents) or any(map(decoded.lacks, split_of)):
        raise BlobMissing("Some of the pictures have been deleted since the training was created. Start another one.")
    by_split = _group_by_split([content for _, content in located], split_of, decoded)
    check_enough(by_split.labels, by_split.failed.total(), by_split.failed)
    return by_split


def _group_by_split(contents: list[Content], split_of: dict[bytes, Split], decoded: DecodedImages) -> Pixels:
    """The images of each split, in the order of the contents."""
    failed = Counter(decoded.failures_of(split_of))
    images, labels = {}, {}
    for split in SPLITS:
        readable = [each for each in contents if split_of[each.sha256] == split and each.sha256 not in decoded.failed]
        images[split] = decoded.select(split, [content.sha256 for content in readable])
        labels[split] = np.array([LABEL_NAMES.index(content.label) for content in readable], np.int64)
    return Pixels(images, labels, failed)


def check_enough(
    labels: Mapping[Split, NDArray[np.integer]], n_failed: int, failures: Mapping[ErrorCode, int] | None = None
) -> None:
    """Refuse a training with too few readable images.

    Args:
        labels: int (N,) of the readable images of each split, indices of `LABEL_NAMES`.
        n_failed: Number of images that cannot be read.
        failures: Their number by error, if that is known.
    Raises:
        Invalid: Too many images cannot be read, or a split lacks images of the classes.
    """
    n_samples = n_failed + sum(map(len, labels.values()))
    if n_failed > MAX_UNREADABLE * n_samples:
        reasons = ", ".join(f"{code}: {n}" for code, n in Counter(failures or {}).most_common())
        cause = f"cannot be read ({reasons})" if reasons else "cannot be read or have been deleted"
        raise Invalid(
            f"{n_failed} of {n_samples} pictures {cause}. Up to {MAX_UNREADABLE:.0%} would be left out; more are a sign"
            " of a fault. Upload intact copies, or remove these pictures."
        )
    for split, split_labels in labels.items():
        classes = set(split_labels.tolist()) - {len(CLASSES)}
        if not classes or (split == Split.TRAINING and len(classes) < len(CLASSES)):
            name = "test" if split == Split.TEST else split
            raise Invalid(
                f"Too few of the readable pictures belong to the {name} split: {len(split_labels)} of {n_samples}."
                " Add pictures; a hundred are enough."
            )
