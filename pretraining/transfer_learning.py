"""A published network, its last layers taught gently, with heads of ours on top.

1. carry the published weights over;
2. vary all photographs and pass them through the first layers (kept in the cache, so a kill costs little);
3. teach the last layers on that, keeping the state after each epoch;
4. fit the head that tells dogs from cats, and the one that tells pets from strangers;
5. store the weights as float16: half the size, the same answers (tests compare them).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from core.base.network_catalog import NETWORKS
from model.architectures.build import build
from model.arrays.logistic_regression import fit_logistic
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of, pack_weights, weight_names
from model.training.finetune import Seen, Tuner
from pretraining import array_cache
from pretraining.augmented_activations import Variations
from pretraining.features import Described, describe_activations, describe_images
from pretraining.finish_version import Watched, decode, describe, split, write_version
from pretraining.imagenet_weights import carry_over, find_weights, read_tensors
from pretraining.labelled_folders import (
    Photograph,
    decode_all,
    digest_contents,
    read_folder,
    read_folders,
    read_strangers,
)
from pretraining.negatives import draw_strangers
from pretraining.recipes import Taught, Transferred

if TYPE_CHECKING:
    import keras

_PET_DECAY = 1e-6  # three weights on 30,000 pictures need none


def make_transferred(
    network: str,
    recipe: Transferred,
    data: Sequence[Path],
    test: Path | None,
    neither: Path | None,
    out: Path,
    cache: Path,
) -> Manifest:
    """All of it; the steps are those at the top of this module.

    Args:
        data: Each holds cats/ and dogs/.
        test: Another such folder, measured once, at the end.
        neither: Holds pictures of neither, which stand beside the drawn ones.
    Raises:
        Invalid: The folders hold too little, or the published weights are not installed.
    """
    photographs = read_folders(data)
    parts = split(photographs, data[0])
    strangers = [p for p in read_strangers(neither) if p.part == "training"] if neither else []
    published = find_weights()
    model = build(network)
    carry_over(read_tensors(published), model)

    side_px, taught = NETWORKS[network].side_px, recipe.taught
    work = f"{network} {side_px} {taught} {digest_of(published)} {digest_contents(photographs + strangers)}"
    folder = cache / f"{network}-{digest_of(work.encode())[:16]}"
    seen = _pass_on(model, taught, [*parts["training"], *strangers], folder)
    training, others = _teach(model, recipe, seen, folder / "state.npz")
    drawn = describe_images(model, draw_strangers(recipe.n_drawn, side_px, recipe.seed))
    fit_heads(model, recipe, training, np.concatenate([drawn, others]))

    weights = pack_weights([array.astype(np.float16) for array in model.get_weights()], weight_names(model))
    watched = {name: decode(parts[name], side_px, name) for name in ("validation", "judging")}
    if test is not None:
        watched["test"] = decode(read_folder(test), side_px, "test")
    watched_strangers = _other_strangers(neither, recipe, side_px)
    manifest = describe(network, recipe, photographs, weights, Watched(watched, watched_strangers))
    write_version(manifest, weights, out)
    return manifest


def _pass_on(model: "keras.Model", taught: Taught, photographs: list[Photograph], folder: Path) -> Seen:
    variations = Variations(model, taught.gentle.first, taught.augmentation, taught.source_px, folder)
    return variations.run(photographs, taught.n_variations, taught.gentle.seed)


def _teach(
    model: "keras.Model", recipe: Transferred, seen: Seen, state_file: Path
) -> tuple[Described, NDArray[np.float32]]:
    """Teach the last layers; what they then make of the training photographs, and of the strangers among them."""
    how = recipe.taught.gentle
    plain, is_ours = seen.activations[0], seen.labels < 2
    before = describe_activations(model, how.first, plain)[is_ours, :-1]
    tuner = Tuner(model, how, seen, fit_logistic(before, seen.labels[is_ours], recipe.decay))
    state = array_cache.find(state_file)
    if state is not None:
        tuner.restore(state)
        click.echo(f"going on after epoch {tuner.n_epochs_done}")
    for loss, memory in tuner.epochs():
        click.echo(f"epoch {tuner.n_epochs_done} of {how.epochs}: loss {loss:.4f}, memory {memory:.4f}")
        array_cache.save(state_file, tuner.state())
    tuner.finish()
    rows = describe_activations(model, how.first, plain)
    return Described(rows[is_ours], seen.labels[is_ours]), rows[~is_ours]


def fit_heads(model: "keras.Model", recipe: Transferred, training: Described, strangers: NDArray[np.float32]) -> None:
    """Give both heads their weights.

    Args:
        model: From `efficientnet.build_efficientnet_lite0`.
        training: Cats and dogs.
        strangers: (M, 1281), rows of pictures of neither.
    """
    kernel, offset = fit_logistic(training.rows[:, :-1], training.labels, recipe.decay)
    model.get_layer("dog").set_weights([kernel, offset])
    rows = np.concatenate([training.rows, strangers])
    signs = np.concatenate([rows[:, -1:], np.abs(rows[:, :-1] @ kernel + offset)], axis=1)
    is_pet = np.arange(len(rows)) < len(training.rows)
    counts = np.where(is_pet, (1 - recipe.stranger_share) / is_pet.sum(), recipe.stranger_share / (~is_pet).sum())
    model.get_layer("pet").set_weights(fit_logistic(signs, is_pet.astype(int), _PET_DECAY, counts))


def _other_strangers(neither: Path | None, recipe: Transferred, side_px: int) -> NDArray[np.uint8]:
    """Those by which the threshold is chosen: drawn anew, and of the folder's validation part."""
    drawn = draw_strangers(recipe.n_drawn, side_px, recipe.seed + 1)
    shown: list[Photograph] = [p for p in read_strangers(neither) if p.part == "validation"] if neither else []
    return np.concatenate([drawn, decode_all(shown, side_px)[0]]) if shown else drawn
