"""From a trained network to a complete manifest: calibration and threshold by the validation split, then all metrics.

    outputs of every split ─► temperature (validation) ─► threshold (validation, negatives) ─► metrics of every split

In manifests negatives are called `strangers`, and the test split `judging`.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays.calibration import calibrate, choose_threshold, fit_temperature
from model.arrays.image_arrays import Images
from model.arrays.metrics import THRESHOLDS, Probabilities, evaluate
from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import Manifest, Speed
from model.inference.classifier import Classifier
from model.training.examples import Examples

VALIDATION = "validation"
NEGATIVES = "strangers"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits that a version's threshold must keep on the validation split: shares, 0 to 1.

    Attributes:
        max_wrong: Of the images, how many may get a wrong label ...
        max_unsure: ... unless more than this share would get none. If both cannot be kept, this one is.
        max_taken: Of the images of neither class, how many may get a label.
    """

    max_wrong: float
    max_unsure: float
    max_taken: float = 1.0


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """How a version's threshold is chosen.

    Attributes:
        bounds: The limits that it must keep.
        known_threshold: Of the version that the training started from, 0 if from scratch. Without negatives nothing
            shows how a lower threshold would treat images of neither class, so the new one is not lower.
    """

    bounds: Bounds
    known_threshold: float = 0.0


class EvaluationImages(NamedTuple):
    """The images that a version is evaluated on, in the size of the network's input.

    Attributes:
        splits: By split: "validation", by which calibration and threshold are chosen, and others.
        negatives: uint8 (M, side, side, 3), 0 to 255, images of neither class, by which the threshold is chosen too.
    """

    splits: Mapping[str, Examples]
    negatives: Images | None = None


class LabelledOutputs(NamedTuple):
    """A network's outputs for images, and the labels of the images.

    Attributes:
        outputs: float32 (N, 1) or (N, 3), 0 to 1, before calibration.
        labels: int (N,), indices of classes.
    """

    outputs: NDArray[np.float32]
    labels: NDArray[np.integer[Any]]


class EvaluationOutputs(NamedTuple):
    """The outputs that a version is evaluated on.

    Attributes:
        splits: As in `EvaluationImages`.
        negatives: float32 (M, 1) or (M, 3), for images of neither class.
    """

    splits: Mapping[str, LabelledOutputs]
    negatives: NDArray[np.float32] | None = None


def complete_manifest(
    plain: Manifest,
    weights: bytes,
    images: EvaluationImages,
    rule: ThresholdRule,
    on_batch: Callable[[], object] = lambda: None,
    converted: ConvertedBody | None = None,
) -> Manifest:
    """Fit calibration and threshold, then evaluate through the classifier itself, as the product would predict.

    Args:
        plain: The manifest without what is fitted and measured here.
        weights: The .npz file of the network.
        images: What to evaluate on.
        rule: How the threshold is chosen.
        on_batch: Called before each batch of images; an exception from it ends the work.
        converted: Its body for LiteRT, if that will serve it on CPUs.
    """
    plain = replace(plain, calibration={"temperature": 1.0})
    classifier = Classifier(plain, weights, converted=converted, n_threads=os.cpu_count() or 1)
    outputs, speed = _run(classifier, {split: examples.images for split, examples in images.splits.items()}, on_batch)
    negatives = None if images.negatives is None else classifier.outputs(images.negatives, on_batch)
    splits = {split: LabelledOutputs(outputs[split], examples.labels) for split, examples in images.splits.items()}
    plain = replace(plain, n_bytes=len(weights), speed=speed)
    return complete_from_outputs(plain, EvaluationOutputs(splits, negatives), rule)


def complete_from_outputs(plain: Manifest, outputs: EvaluationOutputs, rule: ThresholdRule) -> Manifest:
    """Fit calibration and threshold, then evaluate, from the network's outputs.

    Args:
        plain: The manifest without what is fitted and measured here.
        outputs: What to evaluate on.
        rule: How the threshold is chosen.
    """
    validation, bounds = outputs.splits[VALIDATION], asdict(rule.bounds)
    temperature = fit_temperature(validation.outputs, validation.labels)
    negatives = None if outputs.negatives is None else calibrate(outputs.negatives, temperature)
    threshold = choose_threshold(
        calibrate(validation.outputs, temperature),
        validation.labels,
        negatives=negatives,
        at_least=rule.known_threshold if negatives is None else 0.0,
        **bounds,
    )
    metrics: dict[str, dict[str, Any]] = {
        split: asdict(evaluate(calibrate(raw, temperature), labels, plain.classes, threshold))
        for split, (raw, labels) in outputs.splits.items()
    }
    if negatives is not None:
        metrics[NEGATIVES] = evaluate_negatives(negatives, threshold)
    return replace(plain, calibration={"temperature": temperature}, threshold=threshold, bounds=bounds, metrics=metrics)


def _run(
    classifier: Classifier, images: Mapping[str, Images], on_batch: Callable[[], object]
) -> tuple[dict[str, NDArray[np.float32]], Speed]:
    """Outputs by split, and the speed, without the time to warm up."""
    classifier.warm_up()
    begun_at = time.perf_counter()
    outputs = {split: classifier.outputs(pictures, on_batch) for split, pictures in images.items()}
    seconds = time.perf_counter() - begun_at
    n_images = sum(map(len, images.values()))
    engine = classifier.engine
    return outputs, {
        "images_per_s": round(n_images / seconds, 1),
        "n_images": n_images,
        "device": engine.device,
        "threads": engine.n_threads,
    }


def evaluate_negatives(probabilities: Probabilities, threshold: float) -> dict[str, Any]:
    """How many images of neither class are unsure, at the threshold and at others."""
    confidence = probabilities.max(axis=1)
    return {
        "n_images": len(probabilities),
        "threshold": threshold,
        "unsure": float((confidence < threshold).mean()),
        "coverage": {
            "threshold": list(THRESHOLDS),
            "labelled": [round(float((confidence >= each).mean()), 6) for each in THRESHOLDS],
        },
    }
