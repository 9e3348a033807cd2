"""What every shipped version goes through, however it was trained: parts, calibration, threshold, manifest, files."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from core.base.errors import Invalid
from core.base.network_catalog import CLASSES
from model.artifacts.manifest import SHIPPED, Manifest
from model.evaluation.report import Bounds
from model.training.train import Examples
from pretraining.labelled_folders import Photograph, decode_all, digest_contents
from pretraining.recipes import Shipped, Transferred
from worker.training.manifest import Origin, judge_version

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
    origin = Origin(
        network=network,
        data={"n_images": dict(by_class), "sha256": digest_contents(photographs)},
        n_by_part=dict(counts),
        parameters=json.loads(json.dumps(asdict(shipped))),
        seed=shipped.seed,
        command=f"make pretrained NETWORK={network} DATA=FOLDER TEST=FOLDER{neither}",
        who=SHIPPED,
    )
    bounds = Bounds(shipped.max_wrong, shipped.max_unsure, shipped.max_taken)
    return judge_version(origin, weights, watched.examples, bounds, watched.strangers)


def write_version(manifest: Manifest, weights: bytes, out: Path) -> None:
    """Weights and manifest side by side, and what was measured on the screen."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{manifest.network}.npz").write_bytes(weights)
    (out / f"{manifest.network}.json").write_text(manifest.to_json(), encoding="utf-8")
    for name, figures in manifest.metrics.items():
        accuracy = f"accuracy {figures['accuracy']:.4f}, " if "accuracy" in figures else ""
        click.echo(f"{name}: {accuracy}{figures['unsure']:.4f} unsure, of {figures['n_images']}")
