"""Predictions of versions for the test split: in a job of its own, or at the end of a training.

    contents ─► places ─► shards, each read once ─► pixels in batches ─► every version
       │                                              │
    deleted meanwhile: left out                   ImageError: left out

Versions predict in this process with all its threads. It is the training worker's process, which runs at low priority.
In rows the test split is called `judging`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from core.base.errors import BadWeights, ImageError
from core.evaluation import evaluation_jobs, predictions
from core.evaluation.predictions import NewPrediction
from core.models import registry
from core.training import claims, datasets
from core.training.claims import Claim
from core.training.datasets import Content
from core.training.splits import Split
from model.inference.classifier import Classifier
from worker.process.runtime import Runtime
from worker.training.dataset import SPLITS, Samples
from worker.training.near_duplicates import find_near_duplicates
from worker.training.stored_images import PixelsBySide, decode_in_sizes, locate_contents
from worker.training.training_lease import TrainingLease

log = structlog.get_logger()

_BATCH = 64  # images that are decoded before versions predict them


@dataclass(frozen=True, slots=True)
class VersionPredictions:
    """Predictions for the test split: of a new version, and of other versions by their numbers."""

    of_new: list[NewPrediction]
    of_others: dict[int, list[NewPrediction]]


def evaluate_version(runtime: Runtime, claim: Claim, lease: TrainingLease) -> None:
    """Do a claimed job that evaluates a version on the test split of everything labelled.

    Raises:
        BadWeights: The version's weights cannot be used.
        LeaseLost, TrainingStopped: There is no reason to continue.
    """
    with runtime.db.read() as session:
        version_id = claims.find_version(session, claim)
        labelled = datasets.find_labelled(session).contents
    classifier = open_version(runtime, version_id)
    find_near_duplicates(runtime, claim, labelled, lease)
    with runtime.db.write() as session:
        contents = predictions.choose_contents(session)
    predicted = predict_contents(runtime, claim, {version_id: classifier}, contents, lease)[version_id]
    with runtime.db.write() as session:
        evaluation_jobs.finish_evaluation(session, claim, version_id, predicted)
    log.info("version_judged", job_id=claim.job_id, version=version_id, n_judged=len(predicted), n_wanted=len(contents))


def evaluate_new_version(
    runtime: Runtime, claim: Claim, classifier: Classifier, samples: Samples, lease: TrainingLease
) -> VersionPredictions:
    """Predict a training's test split with the version that it has just made and with the one in use.

    Args:
        runtime: Of this process.
        claim: Of the job.
        classifier: The new version.
        samples: Of the training.
        lease: Receives progress.
    Raises:
        TrainingStopped: There is no reason to continue.
    """
    contents = [
        content
        for content, split in zip(samples.as_contents(), samples.parts, strict=True)
        if split == SPLITS.index(Split.TEST)
    ]
    with runtime.db.read() as session:
        in_use = registry.find_in_use(session)
    others: dict[int, Classifier] = {}
    if in_use is not None:
        try:
            others[in_use] = open_version(runtime, in_use)
        except BadWeights as error:  # the new version must not fail because the old one cannot be used
            log.warning("version_unusable", version=in_use, reason=error.message)
    predicted = predict_contents(runtime, claim, {0: classifier, **others}, contents, lease)
    return VersionPredictions(of_new=predicted.pop(0), of_others=predicted)


def open_version(runtime: Runtime, version_id: int) -> Classifier:
    """The network of a version. Not `runtime.classifier`, which would limit this process to one thread."""
    with runtime.db.read() as session:
        version = registry.get_version(session, version_id)
    return runtime.networks.open(version)


def predict_contents(
    runtime: Runtime,
    claim: Claim,
    versions: Mapping[int, Classifier],
    contents: Sequence[Content],
    lease: TrainingLease,
) -> dict[int, list[NewPrediction]]:
    """The predictions of each version for each content that can be read, the same contents for all versions.

    Args:
        runtime: Of this process.
        claim: Of the job.
        versions: The networks by their numbers.
        contents: What to predict.
        lease: Receives progress.
    Raises:
        TrainingStopped: There is no reason to continue.
    """
    predicted: dict[int, list[NewPrediction]] = {number: [] for number in versions}
    sides = {classifier.side_px for classifier in versions.values()}
    for batch in _batches(_decode(runtime, claim, contents, sides, lease)):
        for number, classifier in versions.items():
            probabilities = classifier.predict(np.stack([by_side[classifier.side_px] for _, by_side in batch]))
            predicted[number] += [
                NewPrediction(content.sha256, content.label, row.tolist())
                for (content, _), row in zip(batch, probabilities, strict=True)
            ]
    return predicted


def _batches(decoded: Iterator[tuple[Content, PixelsBySide]]) -> Iterator[list[tuple[Content, PixelsBySide]]]:
    batch: list[tuple[Content, PixelsBySide]] = []
    for each in decoded:
        batch.append(each)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _decode(
    runtime: Runtime, claim: Claim, contents: Sequence[Content], sides: set[int], lease: TrainingLease
) -> Iterator[tuple[Content, PixelsBySide]]:
    """Each content that still exists and can be read, with its pixels by their side."""
    decoded = decode_in_sizes(runtime, locate_contents(runtime, contents), lambda _: sides)
    for n_before, (content, by_side) in enumerate(decoded):
        lease.report("judging", n_before, len(contents))
        if not isinstance(by_side, ImageError):
            yield content, by_side
