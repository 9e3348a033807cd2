"""The last steps for every shipped version, however it was trained: conversion, calibration, threshold, files."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from core.base.errors import Invalid
from core.base.network_catalog import CLASSES
from model.artifacts.manifest import SHIPPED, Manifest
from model.evaluation.version_evaluation import Bounds, EvaluationImages, ThresholdRule, complete_manifest
from model.training.examples import Examples
from pretraining.conversion import choose_calibration, convert_shipped, keep_heads, write_converted
from pretraining.labelled_folders import Folders, Photograph, decode_all, digest_contents, read_folder, read_negatives
from pretraining.recipes import Int8Recipe, ScratchRecipe, TransferRecipe, describe_recipe
from worker.training.version_manifest import Origin, plain_manifest

_ENOUGH = 100  # photographs in the validation split; with fewer, calibration and threshold would be chance


def group_by_split(photographs: list[Photograph], source: Path) -> dict[str, list[Photograph]]:
    """The photographs by split.

    Raises:
        Invalid: A split has too few.
    """
    by_split = {name: [p for p in photographs if p.split == name] for name in ("training", "validation", "judging")}
    smallest = min(map(len, by_split.values()))
    if smallest < _ENOUGH:
        raise Invalid(
            f"{source}: expected at least {_ENOUGH} photographs in each split; the smallest has {smallest}. Add some."
        )
    return by_split


def decode(photographs: list[Photograph], side_px: int, what: str) -> Examples:
    """Decode photographs, and print how many there are.

    Args:
        photographs: At least one.
        side_px: Height and width to decode to.
        what: Their name in the output.
    """
    images, labels, n_unreadable = decode_all(photographs, side_px)
    click.echo(f"{what}: {len(images)} photographs at {side_px} px, {n_unreadable} unreadable")
    return Examples(images, labels)


def decode_splits(by_split: Mapping[str, list[Photograph]], folders: Folders, side_px: int) -> dict[str, Examples]:
    """What a version is evaluated on: the splits that it does not learn from, and the test folder if there is one.

    Args:
        by_split: As `group_by_split` returns it.
        folders: Has the test folder.
        side_px: Height and width to decode to.
    """
    splits = {name: decode(by_split[name], side_px, name) for name in ("validation", "judging")}
    if folders.test is not None:
        splits["test"] = decode(read_folder(folders.test), side_px, "test")
    return splits


def finish_version(
    network: str,
    recipe: ScratchRecipe | TransferRecipe,
    photographs: list[Photograph],
    weights: bytes,
    images: EvaluationImages,
    folders: Folders,
) -> Manifest:
    """Convert the network, fit calibration and threshold on the validation split, evaluate it as served, and write it.

    Args:
        network: Its name.
        recipe: How it was made.
        photographs: All that it was made from, for counts and digest.
        weights: The .npz file of the network.
        images: What to evaluate on.
        folders: Where results are written; the negatives among them calibrate the conversion too.
    """
    counts = Counter(photograph.split for photograph in photographs)
    by_class = Counter(CLASSES[photograph.label] for photograph in photographs)
    neither = "" if images.negatives is None else " NEITHER=FOLDER"
    origin = Origin(
        network=network,
        data={"n_images": dict(by_class), "sha256": digest_contents(photographs)},
        n_by_split=dict(counts),
        parameters=json.loads(json.dumps(describe_recipe(recipe))),
        seed=recipe.seed,
        command=f"make pretrained NETWORK={network} DATA=FOLDER TEST=FOLDER{neither}",
        who=SHIPPED,
    )
    bounds = Bounds(recipe.max_wrong, recipe.max_unsure, recipe.max_taken)
    plain = plain_manifest(origin, weights)
    negatives = read_negatives(folders.neither) if folders.neither else []
    calibration = choose_calibration(photographs, negatives, plain.side_px)
    converted = convert_shipped(plain, weights, calibration, images.splits["validation"])
    if isinstance(recipe, Int8Recipe):
        plain, weights, converted = keep_heads(plain, weights, converted)
    manifest = complete_manifest(plain, weights, images, ThresholdRule(bounds), converted=converted)
    write_version(manifest, weights, folders.out)
    write_converted(converted, network, folders.out)
    return manifest


def write_version(manifest: Manifest, weights: bytes, out: Path) -> None:
    """Write weights and manifest, and print the metrics."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{manifest.network}.npz").write_bytes(weights)
    (out / f"{manifest.network}.json").write_text(manifest.to_json(), encoding="utf-8")
    for name, metrics in manifest.metrics.items():
        accuracy = f"accuracy {metrics['accuracy']:.4f}, " if "accuracy" in metrics else ""
        click.echo(f"{name}: {accuracy}{metrics['unsure']:.4f} unsure, of {metrics['n_images']}")
