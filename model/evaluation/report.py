"""From a trained network to a complete manifest: calibration and threshold by the validation part, then all figures.

outputs of every part ─► temperature (validation) ─► threshold (validation, strangers) ─► figures of every part
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays.calibration import calibrate, choose_threshold, fit_temperature
from model.arrays.image_arrays import Pictures
from model.arrays.metrics import THRESHOLDS, Probabilities, judge
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier
from model.training.train import Examples

VALIDATION = "validation"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a version's threshold has to keep, as `choose_threshold` takes it: shares, 0 to 1."""

    max_wrong: float
    max_unsure: float
    max_taken: float = 1.0


def complete_manifest(
    plain: Manifest,
    weights: bytes,
    watched: Mapping[str, Examples],
    bounds: Bounds,
    strangers: Pictures | None = None,
    known_threshold: float = 0.0,
    on_batch: Callable[[], object] = lambda: None,
) -> Manifest:
    """Fit calibration and threshold, then measure through the classifier itself, as the product would answer.

    Args:
        plain: The manifest but for what is fitted and measured here.
        weights: The .npz file of the network.
        watched: Pictures of the network's input size by part: "validation", by which everything is chosen, and others.
        bounds: What the threshold has to keep on the validation part.
        strangers: uint8 (M, side, side, 3), pictures of neither class, by which the threshold is chosen too.
        known_threshold: Where there are none, it is not below this one: that of the version which it started from.
        on_batch: Called before each batch of pictures; what it raises ends the work.
    """
    classifier = Classifier(replace(plain, calibration={"temperature": 1.0}), weights)
    outputs, speed = _run(classifier, {part: examples.images for part, examples in watched.items()}, on_batch)
    of_strangers = None if strangers is None else classifier.outputs(strangers, on_batch)
    by_part = {part: Answered(outputs[part], examples.labels) for part, examples in watched.items()}
    return complete_from_outputs(
        replace(plain, n_bytes=len(weights), speed=speed), by_part, bounds, of_strangers, known_threshold
    )


class Answered(NamedTuple):
    """What a network says of pictures, and what they show: (N, 1) or (N, 3) before calibration, and (N,)."""

    outputs: NDArray[np.float32]
    labels: NDArray[np.integer[Any]]


def complete_from_outputs(
    plain: Manifest,
    watched: Mapping[str, Answered],
    bounds: Bounds,
    strangers: NDArray[np.float32] | None = None,
    known_threshold: float = 0.0,
) -> Manifest:
    """Fit calibration and threshold, then measure, by what the network has said; else as `complete_manifest`."""
    labels = watched[VALIDATION].labels
    outputs = {part: answered.outputs for part, answered in watched.items()}
    temperature = fit_temperature(outputs[VALIDATION], labels)
    said = {part: calibrate(raw, temperature) for part, raw in outputs.items()}
    taken = None if strangers is None else calibrate(strangers, temperature)
    at_least = known_threshold if taken is None else 0.0  # nothing tells what would happen to pictures of neither
    threshold = choose_threshold(said[VALIDATION], labels, strangers=taken, at_least=at_least, **asdict(bounds))
    figures: dict[str, dict[str, Any]] = {
        str(part): asdict(judge(said[part], watched[part].labels, plain.classes, threshold)) for part in watched
    }
    if taken is not None:
        figures["strangers"] = _judge_strangers(taken, threshold)
    return replace(
        plain,
        calibration={"temperature": temperature},
        threshold=threshold,
        bounds=asdict(bounds),
        metrics=figures,
    )


def _run(
    classifier: Classifier, images: Mapping[str, Pictures], on_batch: Callable[[], object]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """Raw outputs by part, and how fast they came, the first batches left out."""
    import tensorflow as tf

    classifier.warm_up()
    begun_at = time.perf_counter()
    outputs = {part: classifier.outputs(some, on_batch) for part, some in images.items()}
    seconds = time.perf_counter() - begun_at
    n_images = sum(map(len, images.values()))
    gpus = tf.config.get_visible_devices("GPU")
    return outputs, {
        "images_per_s": round(n_images / seconds, 1),
        "n_images": n_images,
        "device": f"gpu x {len(gpus)}" if gpus else "cpu",
        "threads": tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1,
    }


def _judge_strangers(probabilities: Probabilities, threshold: float) -> dict[str, Any]:
    confidence = probabilities.max(axis=1)
    return {
        "n_images": len(probabilities),
        "threshold": threshold,
        "unsure": float((confidence < threshold).mean()),
        "coverage": {
            "threshold": list(THRESHOLDS),
            "labelled": [round(float((confidence >= one).mean()), 6) for one in THRESHOLDS],
        },
    }
