"""What every shipped version goes through, however it was trained: parts, calibration, threshold, manifest, files."""

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from core.networks import CLASSES, NETWORKS
from core.parts import RULE
from model.calibrate import calibrate, choose_threshold, fit_temperature
from model.classifier import Classifier
from model.evaluate import judge
from model.manifest import Manifest
from model.train import Examples
from model.weights import digest_of
from worker.folders import Photograph, decode_all, digest_contents
from worker.recipes import Shipped, Transferred

_ENOUGH = 100  # pictures for the validation part: with fewer, calibration and threshold would be chance


class Watched(NamedTuple):
    """What a finished network is measured on.

    Attributes:
        examples: By part: "validation", by which calibration and threshold are chosen, and others.
        strangers: uint8 pictures of neither class, by which the threshold is chosen too; or none.
    """

    examples: dict[str, Examples]
    strangers: NDArray[np.uint8] | None = None


def split(photographs: list[Photograph], source: Path) -> dict[str, list[Photograph]]:
    """The photographs by part.

    Raises:
        Invalid: A part holds too little.
    """
    parts = {name: [p for p in photographs if p.part == name] for name in ("training", "validation", "judging")}
    smallest = min(len(part) for part in parts.values())
    if smallest < _ENOUGH:
        raise Invalid(
            f"{source}: expected at least {_ENOUGH} photographs in each part; the smallest has {smallest}. Add some."
        )
    return parts


def decode(photographs: list[Photograph], side_px: int, what: str) -> Examples:
    """Pixels and labels, and a line that says how many."""
    images, labels, n_unreadable = decode_all(photographs, side_px)
    click.echo(f"{what}: {len(images)} photographs at {side_px} px, {n_unreadable} unreadable")
    return Examples(images, labels)


def describe(
    network: str, shipped: Shipped | Transferred, photographs: list[Photograph], weights: bytes, watched: Watched
) -> Manifest:
    """Fit calibration and threshold on the validation part, then measure through the classifier itself."""
    counts = Counter(photograph.part for photograph in photographs)
    by_class = Counter(CLASSES[photograph.label] for photograph in photographs)
    neither = "" if watched.strangers is None else " NEITHER=FOLDER"
    plain = Manifest(
        network=network,
        side_px=NETWORKS[network].side_px,
        classes=CLASSES,
        threshold=0.5,
        calibration={"temperature": 1.0},
        digest=digest_of(weights),
        n_weights=NETWORKS[network].n_weights,
        metrics={},
        data={"n_images": dict(by_class), "sha256": digest_contents(photographs)},
        split={"rule": RULE, **counts},
        parameters=json.loads(json.dumps(asdict(shipped))),
        seed=shipped.seed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=f"make pretrained NETWORK={network} DATA=FOLDER TEST=FOLDER{neither}",
    )
    classifier = Classifier(plain, weights)
    raw = {name: classifier.outputs(examples.images) for name, examples in watched.examples.items()}
    labels = watched.examples["validation"].labels
    temperature = fit_temperature(raw["validation"], labels)
    strangers = None
    if watched.strangers is not None:
        strangers = calibrate(classifier.outputs(watched.strangers), temperature)
    threshold = choose_threshold(
        calibrate(raw["validation"], temperature),
        labels,
        max_wrong=shipped.max_wrong,
        max_unsure=shipped.max_unsure,
        strangers=strangers,
        max_taken=shipped.max_taken,
    )
    figures: dict[str, dict[str, Any]] = {
        name: asdict(judge(calibrate(outputs, temperature), watched.examples[name].labels, CLASSES, threshold))
        for name, outputs in raw.items()
    }
    if strangers is not None:
        turned_away = float((strangers.max(axis=1) < threshold).mean())
        figures["strangers"] = {"n_images": len(strangers), "threshold": threshold, "unsure": turned_away}
    return replace(plain, calibration={"temperature": temperature}, threshold=threshold, metrics=figures)


def write_version(manifest: Manifest, weights: bytes, out: Path) -> None:
    """Weights and manifest side by side, and what was measured on the screen."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{manifest.network}.npz").write_bytes(weights)
    (out / f"{manifest.network}.json").write_text(manifest.to_json(), encoding="utf-8")
    for name, figures in manifest.metrics.items():
        accuracy = f"accuracy {figures['accuracy']:.4f}, " if "accuracy" in figures else ""
        click.echo(f"{name}: {accuracy}{figures['unsure']:.4f} unsure, of {figures['n_images']}")
