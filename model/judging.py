"""From a trained network to a complete manifest: calibration and threshold by the validation part, then all figures.

outputs of every part ─► temperature (validation) ─► threshold (validation, strangers) ─► figures of every part
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.calibrate import calibrate, choose_threshold, fit_temperature
from model.classifier import Classifier
from model.evaluate import THRESHOLDS, Probabilities, judge
from model.manifest import Manifest
from model.train import Examples

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
    strangers: NDArray[np.uint8] | None = None,
    on_batch: Callable[[], object] = lambda: None,
) -> Manifest:
    """Fit calibration and threshold, then measure through the classifier itself, as the product would answer.

    Args:
        plain: The manifest but for what is fitted and measured here.
        weights: The .npz file of the network.
        watched: Pictures of the network's input size by part: "validation", by which everything is chosen, and others.
        bounds: What the threshold has to keep on the validation part.
        strangers: uint8 (M, side, side, 3), pictures of neither class, by which the threshold is chosen too.
        on_batch: Called before each batch of pictures; what it raises ends the work.
    """
    classifier = Classifier(replace(plain, calibration={"temperature": 1.0}), weights)
    outputs, speed = _run(classifier, {part: examples.images for part, examples in watched.items()}, on_batch)
    labels = watched[VALIDATION].labels
    temperature = fit_temperature(outputs[VALIDATION], labels)
    said = {part: calibrate(raw, temperature) for part, raw in outputs.items()}
    taken = None if strangers is None else calibrate(classifier.outputs(strangers, on_batch), temperature)
    threshold = choose_threshold(said[VALIDATION], labels, strangers=taken, **asdict(bounds))
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
        n_bytes=len(weights),
        speed=speed,
    )


def _run(
    classifier: Classifier, images: Mapping[str, NDArray[np.uint8]], on_batch: Callable[[], object]
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
