"""From trained weights to a version: calibrated and given a threshold on the validation part, then measured."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from core.networks import CLASSES, NETWORKS
from core.parameters import Parameters
from core.parts import RULE, Part
from model.calibrate import calibrate, choose_threshold, fit_temperature
from model.classifier import Classifier
from model.evaluate import judge
from model.manifest import Manifest
from model.train import Examples
from model.weights import digest_of
from worker.dataset import PARTS, Samples

MAX_WRONG = 0.01  # of the validation part, at the version's own threshold ...
MAX_UNSURE = 0.5  # ... unless more than this share would get no label


def make_manifest(
    parameters: Parameters, weights: bytes, samples: Samples, watched: Mapping[Part, Examples], n_unreadable: int
) -> Manifest:
    """Describe a trained network.

    Args:
        weights: The .npz file of the network.
        samples: What it learned from and was judged on.
        watched: Pictures of the validation and the judging part, in the size of the network's input.
        n_unreadable: Pictures that were left out.
    """
    plain = Manifest(
        network=parameters.network,
        side_px=NETWORKS[parameters.network].side_px,
        classes=CLASSES,
        threshold=0.5,
        calibration={"temperature": 1.0},
        digest=digest_of(weights),
        n_weights=NETWORKS[parameters.network].n_weights,
        metrics={},
        data={"n_images": samples.count_classes(), "n_unreadable": n_unreadable, "sha256": samples.digest()},
        split={"rule": RULE, **{str(part): samples.count(part) for part in PARTS}},
        parameters=parameters.to_dict(),
        seed=parameters.seed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command="pawsort train FOLDER",
    )
    classifier = Classifier(plain, weights)
    raw = {part: classifier.outputs(examples.images) for part, examples in watched.items()}
    labels = watched[Part.VALIDATION].labels
    temperature = fit_temperature(raw[Part.VALIDATION], labels)
    honest = {part: calibrate(outputs, temperature) for part, outputs in raw.items()}
    threshold = choose_threshold(honest[Part.VALIDATION], labels, max_wrong=MAX_WRONG, max_unsure=MAX_UNSURE)
    figures: dict[str, dict[str, Any]] = {
        str(part): asdict(judge(honest[part], watched[part].labels, CLASSES, threshold)) for part in watched
    }
    return replace(plain, calibration={"temperature": temperature}, threshold=threshold, metrics=figures)
