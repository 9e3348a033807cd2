"""A training of the head alone: features, stored or computed, then one fit, then the usual evaluation.

    samples ─► features ─► new head ─► its outputs for validation and test split ─► manifest and predictions

There is no checkpoint: after a kill the next claim finds the features and finishes in seconds.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.base.errors import BadWeights
from core.base.network_catalog import CLASSES
from core.evaluation.predictions import NewPrediction
from core.evaluation.unbiased_labels import find_unbiased
from core.models import registry
from core.training.claims import Claim
from core.training.datasets import Content
from core.training.parameters import Parameters
from core.training.splits import Split
from model.architectures.head_outputs import outputs_of
from model.arrays.calibration import calibrate
from model.artifacts.manifest import Manifest
from model.artifacts.weights import pack_weights, unpack_weights
from model.conversion.conversion import keep_body
from model.evaluation.version_evaluation import (
    EvaluationOutputs,
    LabelledOutputs,
    ThresholdRule,
    complete_from_outputs,
)
from model.training.refit_head import Arrays, refit
from worker.process.runtime import Runtime
from worker.training.dataset import SPLITS, Samples, check_enough, find_samples
from worker.training.evaluation import VersionPredictions, open_version, predict_contents
from worker.training.stored_features import ContentFeatures, read_features
from worker.training.training_lease import TrainingLease
from worker.training.version_manifest import TRAINED, NewVersion, origin_of, plain_manifest


@dataclass(frozen=True, slots=True)
class SampleFeatures:
    """The samples of a training with their features.

    Attributes:
        samples: Contents, labels and splits.
        features: Of the contents, in the same order.
    """

    samples: Samples
    features: ContentFeatures

    def rows_of(self, split: Split) -> NDArray[np.bool_]:
        """bool (N,), whether a sample belongs to a split and can be read."""
        mask: NDArray[np.bool_] = self.features.is_known & (self.samples.parts == SPLITS.index(split))
        return mask


def fit_head(runtime: Runtime, claim: Claim, parameters: Parameters, who: str, lease: TrainingLease) -> NewVersion:
    """Fit a new head.

    Args:
        runtime: Of this process.
        claim: Of the job.
        parameters: Of the training.
        who: Name of the user whose job it is.
        lease: Receives progress.
    Returns:
        The new version. It keeps the converted body of the version to start from: its head fits the features of that.
    Raises:
        Invalid: Too few images can be read.
        BadWeights: The version to start from cannot be used.
        TrainingStopped: There is no reason to continue.
    """
    samples = find_samples(runtime, claim, lease)
    contents = samples.as_contents()
    assert parameters.start_from is not None
    with runtime.db.read() as session:
        version = registry.get_version(session, parameters.start_from)
    data = SampleFeatures(samples, read_features(runtime, claim, version, contents, lease))
    n_unreadable = int((~data.features.is_known).sum())
    check_enough({split: samples.labels[data.rows_of(split)] for split in SPLITS}, n_unreadable)
    lease.report("training")
    arrays = unpack_weights(runtime.networks.weights(version))
    rows = data.rows_of(Split.TRAINING)
    with runtime.db.read() as session:
        unbiased = find_unbiased(session, {content.sha256: content.label for content in contents})
    is_unbiased = np.array([content.sha256 in unbiased for content in contents], bool)
    new = refit(version.network, arrays, data.features.rows[rows], samples.labels[rows], is_unbiased[rows])
    lease.report("judging")
    weights = pack_weights(list(new.values()), list(new))
    plain = plain_manifest(origin_of(parameters, samples, n_unreadable, who), weights)
    plain = replace(plain, n_bytes=len(weights), speed=version.manifest.get("speed"))
    manifest = _complete(plain, new, data, float(version.manifest["threshold"]))
    converted = runtime.networks.find_converted(version)
    if converted is not None:
        converted = keep_body(converted, manifest.digest)
    return NewVersion(manifest, weights, converted, _predict_test_split(runtime, claim, manifest, new, data, lease))


def _complete(plain: Manifest, arrays: Arrays, data: SampleFeatures, known_threshold: float) -> Manifest:
    labels, features = data.samples.labels, data.features.rows
    has_class = labels < len(CLASSES)
    splits = {}
    for split in (Split.VALIDATION, Split.TEST):
        rows = data.rows_of(split) & has_class
        outputs = outputs_of(plain.network, arrays, features[rows])
        splits[str(split)] = LabelledOutputs(outputs, labels[rows].astype(np.int64))
    rows = data.rows_of(Split.VALIDATION) & ~has_class
    negatives = outputs_of(plain.network, arrays, features[rows]) if rows.any() else None
    return complete_from_outputs(plain, EvaluationOutputs(splits, negatives), ThresholdRule(TRAINED, known_threshold))


def _predict_test_split(
    runtime: Runtime, claim: Claim, manifest: Manifest, arrays: Arrays, data: SampleFeatures, lease: TrainingLease
) -> VersionPredictions:
    """Predictions of the new version and of the one in use. Images are read only if that has another body."""
    rows = np.flatnonzero(data.rows_of(Split.TEST))
    contents, features = data.samples.as_contents(), data.features.rows[rows]
    test = [contents[row] for row in rows]
    of_new = _predict(manifest, arrays, test, features)
    with runtime.db.read() as session:
        in_use = registry.get_any(session, registry.find_in_use(session))
    if in_use is None:
        return VersionPredictions(of_new, {})
    try:
        if runtime.networks.body_of(in_use) == data.features.body:
            arrays_in_use = unpack_weights(runtime.networks.weights(in_use))
            of_other = _predict(Manifest.from_dict(in_use.manifest), arrays_in_use, test, features)
        else:
            versions = {in_use.id: open_version(runtime, in_use.id)}
            of_other = predict_contents(runtime, claim, versions, test, lease)[in_use.id]
    except BadWeights:  # the new version must not fail because the old one cannot be used
        return VersionPredictions(of_new, {})
    return VersionPredictions(of_new, {in_use.id: of_other})


def _predict(
    manifest: Manifest, arrays: Arrays, contents: list[Content], features: NDArray[np.float16]
) -> list[NewPrediction]:
    probabilities = calibrate(outputs_of(manifest.network, arrays, features), manifest.temperature)
    return [
        NewPrediction(content.sha256, content.label, row.tolist())
        for content, row in zip(contents, probabilities, strict=True)
    ]
