"""A training of a head alone: features, kept or computed, then one step, then the same judging as for any other.

    samples ─► features ─► new head ─► what it says of validation and judging part ─► manifest and judgements

Nothing of it is kept for a kill: whoever claims the job again finds the features and is through in seconds.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.base.errors import BadWeights, Invalid
from core.base.network_catalog import CLASSES
from core.evaluation.predictions import NewPrediction
from core.evaluation.unbiased_labels import find_unbiased
from core.models import registry
from core.training.claims import Claim
from core.training.datasets import MAX_UNREADABLE, Content
from core.training.parameters import Parameters
from core.training.splits import Split
from model.arrays.calibration import calibrate
from model.artifacts.manifest import Manifest
from model.artifacts.weights import pack_weights, unpack_weights
from model.evaluation.version_evaluation import EvaluationOutputs, LabelledOutputs, ThresholdRule, complete_from_outputs
from model.training.refit_head import Arrays, outputs_of, refit
from worker.process.runtime import Runtime
from worker.training.dataset import PARTS, Samples, find_samples
from worker.training.evaluate import Said, ask, open_version
from worker.training.features import Seen, see
from worker.training.lease import Watch
from worker.training.version_manifest import TRAINED, origin_of, plain_manifest


def fit_head(
    runtime: Runtime, claim: Claim, parameters: Parameters, who: str, watch: Watch
) -> tuple[Manifest, bytes, Said]:
    """The manifest and the weights of a version with a new head, and what it and the one in use say.

    Raises:
        Invalid: There is too little that can be read.
        BadWeights: The version to start from cannot be used.
        TrainingStopped: There is no reason to go on.
    """
    samples = find_samples(runtime, claim, watch)
    contents = samples.as_contents()
    assert parameters.start_from is not None
    with runtime.db.read() as session:
        version = registry.get_version(session, parameters.start_from)
    seen = see(runtime, claim, version, contents, watch)
    _check_enough(samples, seen)
    watch.say("training")
    arrays = unpack_weights(runtime.networks.weights(version))
    learned = _rows(samples, seen, Split.TRAINING)
    with runtime.db.read() as session:
        honest = find_unbiased(session, {content.sha256: content.label for content in contents})
    is_honest = np.array([content.sha256 in honest for content in contents], bool)
    new = refit(version.network, arrays, seen.rows[learned], samples.labels[learned], is_honest[learned])
    watch.say("judging")
    weights = pack_weights(list(new.values()), list(new))
    n_unreadable = int((~seen.is_known).sum())
    plain = plain_manifest(origin_of(parameters, samples, n_unreadable, who), weights)
    plain = replace(plain, n_bytes=len(weights), speed=version.manifest.get("speed"))
    manifest = _complete(plain, new, samples, seen, float(version.manifest["threshold"]))
    said = _judge(runtime, claim, manifest, new, contents, samples, seen, watch)
    return manifest, weights, said


def _rows(samples: Samples, seen: Seen, part: Split) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = seen.is_known & (samples.parts == PARTS.index(part))
    return mask


def _complete(plain: Manifest, arrays: Arrays, samples: Samples, seen: Seen, known_threshold: float) -> Manifest:
    is_ours = samples.labels < len(CLASSES)
    splits = {}
    for part in (Split.VALIDATION, Split.TEST):
        rows = _rows(samples, seen, part) & is_ours
        splits[str(part)] = LabelledOutputs(
            outputs_of(plain.network, arrays, seen.rows[rows]), samples.labels[rows].astype(np.int64)
        )
    others = _rows(samples, seen, Split.VALIDATION) & ~is_ours
    negatives = outputs_of(plain.network, arrays, seen.rows[others]) if others.any() else None
    return complete_from_outputs(plain, EvaluationOutputs(splits, negatives), ThresholdRule(TRAINED, known_threshold))


def _judge(
    runtime: Runtime,
    claim: Claim,
    manifest: Manifest,
    arrays: Arrays,
    contents: list[Content],
    samples: Samples,
    seen: Seen,
    watch: Watch,
) -> Said:
    """What the new version and the one in use say of the judging part; pictures are read only for another body."""
    rows = np.flatnonzero(_rows(samples, seen, Split.TEST))
    judged = [contents[row] for row in rows]
    by_it = _say(manifest, arrays, judged, seen.rows[rows])
    with runtime.db.read() as session:
        in_use = registry.get_any(session, registry.find_in_use(session))
    if in_use is None:
        return Said(by_it, {})
    try:
        if in_use.body == seen.body:
            its_own = unpack_weights(runtime.networks.weights(in_use))
            by_other = _say(Manifest.from_dict(in_use.manifest), its_own, judged, seen.rows[rows])
        else:
            by_other = ask(runtime, claim, {in_use.id: open_version(runtime, in_use.id)}, judged, watch)[in_use.id]
    except BadWeights:  # that it cannot be used must not cost the new one
        return Said(by_it, {})
    return Said(by_it, {in_use.id: by_other})


def _say(manifest: Manifest, arrays: Arrays, judged: list[Content], rows: NDArray[np.float16]) -> list[NewPrediction]:
    answers = calibrate(outputs_of(manifest.network, arrays, rows), manifest.temperature)
    return [
        NewPrediction(content.sha256, content.label, answer.tolist())
        for content, answer in zip(judged, answers, strict=True)
    ]


def _check_enough(samples: Samples, seen: Seen) -> None:
    n_failed, n_all = int((~seen.is_known).sum()), len(seen.is_known)
    if n_failed > MAX_UNREADABLE * n_all:
        raise Invalid(
            f"{n_failed} of {n_all} pictures cannot be read or have been deleted; up to {MAX_UNREADABLE:.0%} would be"
            " left out, more are a sign that something is wrong. Copy them again from where they came, or remove them."
        )
    for part in PARTS:
        found = set(samples.labels[_rows(samples, seen, part)].tolist()) - {len(CLASSES)}
        if not found or (part == Split.TRAINING and len(found) < len(CLASSES)):
            raise Invalid(
                f"Of the pictures that can be read, too few belong to the {part} part. Add some; a hundred are enough."
            )
