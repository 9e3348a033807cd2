"""A cascade whose light network has the body of another one: new heads learn from the new teacher.

    light body ─► features ─┐
                            ├─► heads ─► limit, threshold and evaluation, as in `cascade.py`
    teacher ─► answers ─────┘

A light body that shrinks its images first takes those of any teacher, so no body is trained or shipped once more.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core.base.network_catalog import NETWORKS
from model.architectures.head_outputs import class_logits_of, neither_inputs, read_layer
from model.architectures.registry import get_architecture
from model.arrays.logistic_regression import fit_logistic
from model.artifacts.manifest import Manifest
from model.artifacts.weights import count_weights, digest_of, pack_weights, unpack_weights
from model.conversion.conversion import keep_body
from model.inference.litert_engine import LiteRTLayers
from pretraining.conversion import HeadsAndBody
from pretraining.finish_version import group_by_split
from pretraining.labelled_folders import NEITHER, Folders, decode_all, read_folders
from pretraining.light.cascade import describe_origin, finish_cascade, read_training_negatives
from pretraining.negatives import draw_negatives
from pretraining.recipes import LightHeadsRecipe
from pretraining.shipped import open_shipped, read_shipped
from worker.training.version_manifest import plain_manifest

_BATCH = 256
Arrays = dict[str, NDArray[Any]]


def make_light_heads(network: str, recipe: LightHeadsRecipe, folders: Folders) -> Manifest:
    """Make the version.

    Args:
        network: A name of `core.base.network_catalog.LIGHT`.
        recipe: How it is made.
        folders: Photographs, and where results are written; teacher and light network are there already.
    """
    photographs = read_folders(folders.data)
    negatives = [one for one in read_training_negatives(folders) if one.split == "training"]
    training = group_by_split(photographs, folders.data[0])["training"]
    chosen = np.random.default_rng(recipe.seed).permutation(len(training))[: recipe.n_photographs]
    side_px = NETWORKS[network].side_px
    images, labels, _ = decode_all([*(training[index] for index in chosen), *negatives], side_px)
    drawn = draw_negatives(recipe.n_drawn, side_px, recipe.seed)
    images, labels = np.concatenate([images, drawn]), np.concatenate([labels, np.full(len(drawn), NEITHER)])

    light = read_shipped(recipe.light, folders.out)
    answers = open_shipped(recipe.teacher, folders.out).outputs(images)
    click.echo(f"the teacher agrees with {(answers.argmax(axis=1) == labels).mean():.4f} of {len(labels)} labels")
    targets = recipe.label_share * np.eye(NEITHER + 1)[labels] + (1 - recipe.label_share) * answers
    features = _compute_features(LiteRTLayers(light.body.flatbuffer, side_px, os.cpu_count() or 1), images)
    heads = fit_light_heads(network, unpack_weights(light.weights), features, targets, recipe.decay)

    weights = pack_weights(list(heads.values()), list(heads))
    body = keep_body(light.body, digest_of(weights))
    plain = plain_manifest(describe_origin(network, recipe, photographs), weights)
    counted = replace(plain, n_weights=count_weights(heads), n_bytes=len(weights), half_precision=None)
    return finish_cascade(HeadsAndBody(counted, weights, body), recipe, folders)


def fit_light_heads(
    network: str,
    arrays: Mapping[str, NDArray[Any]],
    features: NDArray[np.float32],
    targets: NDArray[np.float64],
    decay: float,
) -> Arrays:
    """New heads, pulled towards the old ones.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        arrays: The weights of the heads by name.
        features: float32 (N, F).
        targets: float (N, 3), the probabilities of both classes and of neither that the heads learn.
        decay: As in `LightHeadsRecipe`.
    """
    architecture = get_architecture(network)
    head = architecture.get_neither_head()
    p_pet = targets[:, 0] + targets[:, 1]
    new = dict(arrays)
    p_second = targets[:, 1] / np.maximum(p_pet, 1e-9)
    _fit(new, architecture.head.class_layer, features, p_second, decay, p_pet)
    inputs = neither_inputs(head, new, features, class_logits_of(network, new, features))
    _fit(new, head.layer, inputs, p_pet, decay, np.ones(len(p_pet)))
    return new


def _fit(
    arrays: Arrays,
    layer: str,
    rows: NDArray[np.float32],
    targets: NDArray[np.float64],
    decay: float,
    counts: NDArray[np.float64],
) -> None:
    fitted = fit_logistic(rows, targets, decay, counts, start=read_layer(arrays, layer))
    for part, weights in zip(("kernel", "bias"), fitted, strict=True):
        arrays[f"{layer}.{part}"] = weights.astype(arrays[f"{layer}.{part}"].dtype)


def _compute_features(layers: LiteRTLayers, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    starts = range(0, len(images), _BATCH)
    return np.concatenate([layers.run(images[start : start + _BATCH]).mean(axis=(1, 2)) for start in starts])
