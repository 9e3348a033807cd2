"""Asking versions about pictures of the judging part: in a job of its own, or at the end of a training.

    contents ─► places ─► shards, each read once ─► pixels in batches ─► every version that is asked
       │                                              │
    deleted meanwhile: left out                   ImageError: left out

Versions answer in this process with all its threads; it is the training worker's, which gives inference the first turn.
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
from worker.training.dataset import PARTS, Samples
from worker.training.lease import Watch
from worker.training.near_duplicates import look_for_twins
from worker.training.stored_images import Sizes, decode_sizes, locate

log = structlog.get_logger()

_BATCH = 64  # pictures that are decoded before they are judged


@dataclass(frozen=True, slots=True)
class Said:
    """What a new version says of the judging part, and what other versions, by their numbers, say of the same."""

    by_it: list[NewPrediction]
    by_others: dict[int, list[NewPrediction]]


def judge(runtime: Runtime, claim: Claim, watch: Watch) -> None:
    """Do a claimed job that judges a version on the judging part of everything labelled.

    Raises:
        BadWeights: The version's weights cannot be used.
        LeaseLost, TrainingStopped: There is no reason to go on.
    """
    with runtime.db.read() as session:
        version_id = claims.find_version(session, claim)
        labelled = datasets.find_labelled(session).contents
    classifier = open_version(runtime, version_id)
    look_for_twins(runtime, claim, labelled, watch)
    with runtime.db.write() as session:
        contents = predictions.choose_contents(session)
    said = ask(runtime, claim, {version_id: classifier}, contents, watch)[version_id]
    with runtime.db.write() as session:
        evaluation_jobs.finish_evaluation(session, claim, version_id, said)
    log.info("version_judged", job_id=claim.job_id, version=version_id, n_judged=len(said), n_wanted=len(contents))


def judge_beside(runtime: Runtime, claim: Claim, classifier: Classifier, samples: Samples, watch: Watch) -> Said:
    """Ask a version that a training has just made, and the one in use, about the training's judging part.

    Raises:
        TrainingStopped: There is no reason to go on.
    """
    contents = [
        content
        for content, part in zip(samples.as_contents(), samples.parts, strict=True)
        if part == PARTS.index(Split.TEST)
    ]
    with runtime.db.read() as session:
        in_use = registry.find_in_use(session)
    others: dict[int, Classifier] = {}
    if in_use is not None:
        try:
            others[in_use] = open_version(runtime, in_use)
        except BadWeights as error:  # that it cannot be used must not cost the new one
            log.warning("version_unusable", version=in_use, reason=error.message)
    said = ask(runtime, claim, {0: classifier, **others}, contents, watch)
    return Said(by_it=said.pop(0), by_others=said)


def open_version(runtime: Runtime, version_id: int) -> Classifier:
    """The network of a version. Not `runtime.classifier`, which would take all threads but one from this process."""
    with runtime.db.read() as session:
        version = registry.get_version(session, version_id)
    return runtime.networks.open(version)


def ask(
    runtime: Runtime, claim: Claim, versions: Mapping[int, Classifier], contents: Sequence[Content], watch: Watch
) -> dict[int, list[NewPrediction]]:
    """What each version says of each content that can be read; all of them say something of the same ones."""
    said: dict[int, list[NewPrediction]] = {number: [] for number in versions}
    sides = {classifier.side_px for classifier in versions.values()}
    for some in _batches(_read(runtime, claim, contents, sides, watch)):
        for number, classifier in versions.items():
            pixels = np.stack([by_side[classifier.side_px] for _, by_side in some])
            answers = classifier.predict(pixels)
            said[number] += [
                NewPrediction(content.sha256, content.label, answer.tolist())
                for (content, _), answer in zip(some, answers, strict=True)
            ]
    return said


Sized = tuple[Content, Sizes]


def _batches(decoded: Iterator[Sized]) -> Iterator[list[Sized]]:
    batch: list[Sized] = []
    for one in decoded:
        batch.append(one)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(
    runtime: Runtime, claim: Claim, contents: Sequence[Content], sides: set[int], watch: Watch
) -> Iterator[Sized]:
    """Each content that still exists and can be read, with its pixels by their side."""
    decoded = decode_sizes(runtime, claim.attempts, locate(runtime, contents), lambda _: sides)
    for n_before, (content, by_side) in enumerate(decoded):
        watch.say("judging", n_before, len(contents))
        if not isinstance(by_side, ImageError):
            yield content, by_side
