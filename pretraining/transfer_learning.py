"""A version from published weights: the last layers of the body fine-tuned, then our heads fitted on it.

1. load the published weights;
2. augment all photographs and pass them through the first layers (kept in the cache, so an interruption costs little);
3. fine-tune the last layers on these activations, keeping the state after each epoch;
4. fit the head that separates dogs from cats, and the one that separates pets from negatives;
5. store the weights as float16: half the size, the same predictions (tests compare them).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from core.base.network_catalog import NETWORKS
from model.architectures.architecture import Architecture
from model.architectures.registry import get_architecture
from model.arrays.logistic_regression import fit_logistic
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of, pack_weights, weight_names
from model.evaluation.version_evaluation import EvaluationImages
from model.training.fine_tuning import FineTuner, FineTuningExamples
from pretraining import array_cache
from pretraining.activation_cache import ActivationCache
from pretraining.conversion import choose_calibration
from pretraining.finish_version import decode_splits, finish_version, group_by_split
from pretraining.frozen_layers import freeze_in_float, freeze_in_int8
from pretraining.head_inputs import LabelledInputs, compute_from_activations
from pretraining.imagenet_weights import PUBLISHED, find_weights, load_published, read_tensors
from pretraining.labelled_folders import (
    NEITHER,
    Folders,
    Photograph,
    digest_contents,
    read_folders,
    read_negatives,
)
from pretraining.negatives import collect_negatives, draw_negatives
from pretraining.recipes import Int8Recipe, TransferRecipe

if TYPE_CHECKING:
    import keras

_NEITHER_DECAY = 1e-6  # three weights on 30,000 images need none


def make_transferred(network: str, recipe: TransferRecipe, folders: Folders) -> Manifest:
    """Make the version; the steps are those at the top of this module.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        recipe: How it is made.
        folders: Photographs, and where results are written.
    Raises:
        Invalid: The folders have too few photographs, or the published weights are not installed.
    """
    photographs = read_folders(folders.data)
    by_split = group_by_split(photographs, folders.data[0])
    negatives = _negatives(folders, "training")
    published = find_weights(PUBLISHED[network])
    architecture = get_architecture(network)
    model = architecture.build()
    load_published(read_tensors(published), model, architecture)

    side_px, first = NETWORKS[network].side_px, recipe.body.fine_tuning.first
    work = f"{network} {side_px} {recipe.body} {digest_of(published)} {digest_contents(photographs + negatives)}"
    cache = folders.cache / f"{network}-{digest_of(work.encode())[:16]}"
    if isinstance(recipe, Int8Recipe):
        frozen = freeze_in_int8(model, first, choose_calibration(photographs, negatives, side_px))
    else:
        frozen = freeze_in_float(model, first)
    activations = ActivationCache(model, frozen, architecture, recipe.body, cache)
    examples = activations.compute([*by_split["training"], *negatives])
    training, negative_rows = _fine_tune(model, architecture, recipe, examples, cache / "state.npz")
    drawn = compute_from_activations(
        model, architecture, first, frozen(draw_negatives(recipe.n_drawn, side_px, recipe.seed))
    )
    fit_heads(model, architecture, recipe, training, np.concatenate([drawn, negative_rows]))

    weights = pack_weights([array.astype(np.float16) for array in model.get_weights()], weight_names(model))
    unseen = collect_negatives(_negatives(folders, "validation"), recipe.n_drawn, side_px, recipe.seed + 1)
    images = EvaluationImages(decode_splits(by_split, folders, side_px), unseen)
    return finish_version(network, recipe, photographs, weights, images, folders)


def _fine_tune(
    model: "keras.Model",
    architecture: Architecture,
    recipe: TransferRecipe,
    examples: FineTuningExamples,
    state_file: Path,
) -> tuple[LabelledInputs, NDArray[np.float32]]:
    """Fine-tune the body; the head inputs of the training photographs, and of the negatives among them."""
    how = recipe.body.fine_tuning
    plain, has_class = examples.activations[0], examples.labels < NEITHER
    before = compute_from_activations(model, architecture, how.first, plain)[has_class, :-1]
    class_head = fit_logistic(before, examples.labels[has_class], recipe.decay)
    tuner = FineTuner(model, architecture, how, examples, class_head)
    state = array_cache.find(state_file)
    if state is not None:
        tuner.restore(state)
        click.echo(f"resuming after epoch {tuner.n_epochs_done}")
    for loss, distillation_loss in tuner.epochs():
        click.echo(
            f"epoch {tuner.n_epochs_done} of {how.epochs}: loss {loss:.4f}, distillation {distillation_loss:.4f}"
        )
        array_cache.save(state_file, tuner.state())
    tuner.finish()
    rows = compute_from_activations(model, architecture, how.first, plain)
    return LabelledInputs(rows[has_class], examples.labels[has_class]), rows[~has_class]


def fit_heads(
    model: "keras.Model",
    architecture: Architecture,
    recipe: TransferRecipe,
    training: LabelledInputs,
    negatives: NDArray[np.float32],
) -> None:
    """Fit both heads and load their weights into the network.

    Args:
        model: The network ...
        architecture: ... and its architecture.
        recipe: Has the decay of the class head and the weight of the negatives.
        training: Cats and dogs.
        negatives: float32 (M, F + 1), rows of images of neither class.
    """
    neither_head = architecture.get_neither_head()
    kernel, bias = fit_logistic(training.rows[:, :-1], training.labels, recipe.decay)
    model.get_layer(architecture.head.class_layer).set_weights([kernel, bias])
    rows = np.concatenate([training.rows, negatives])
    inputs = np.concatenate([rows[:, -1:], np.abs(rows[:, :-1] @ kernel + bias)], axis=1)
    is_pet = np.arange(len(rows)) < len(training.rows)
    counts = np.where(is_pet, (1 - recipe.negative_share) / is_pet.sum(), recipe.negative_share / (~is_pet).sum())
    pet_head = fit_logistic(inputs, is_pet.astype(int), _NEITHER_DECAY, counts)
    model.get_layer(neither_head.layer).set_weights(pet_head)


def _negatives(folders: Folders, split: str) -> list[Photograph]:
    """The photographs of neither class in a split."""
    return [p for p in read_negatives(folders.neither) if p.split == split] if folders.neither else []
