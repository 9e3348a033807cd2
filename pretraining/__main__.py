"""Makes the shipped networks: from a labelled folder to weights and manifest.

    python -m pretraining pretrained --data FOLDER [--test FOLDER] [--neither FOLDER] [--network NAME]
    python -m pretraining convert --data FOLDER [--neither FOLDER] [--network NAME]
    python -m pretraining reproduce --data FOLDER --test FOLDER [--run NAME]…

The second command converts a shipped network again (`conversion.py`), the third is explained in `seed/reproduce.py`.
The first makes a network that starts from published weights as `transfer_learning.py` describes, a light network in
front of an accurate one as `light/cascade.py` or `light/heads.py` do, and any other network as follows:

1. read the folder and split it by content: 80 % training, 10 % validation, 10 % test (stored as "judging");
2. decode with the product's own function, training images larger than the input;
3. train the network with batch normalisation by its recipe. The state after each epoch is in `.cache/`, so a second run
   resumes there;
4. fold the normalisation;
5. convert it for LiteRT, as it is served on CPUs; fit calibration and threshold on the validation split;
6. evaluate on the validation and test splits and, if there is one, the test folder; write `model/pretrained/`.
"""

from pathlib import Path
from typing import Any

import click

from core.base.errors import PawsortError
from core.base.network_catalog import DEFAULT_TRAINED, NETWORKS, TRAINABLE
from model.architectures.batch_norm_folding import build_normalised, fold
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of, pack_weights, weight_names
from model.conversion.conversion import DisagreementError
from model.evaluation.version_evaluation import EvaluationImages
from model.training.examples import Examples
from model.training.trainer import Epoch, Trainer
from pretraining import array_cache
from pretraining.conversion import choose_calibration, convert_shipped, write_converted
from pretraining.finish_version import decode, finish_version, group_by_split
from pretraining.labelled_folders import (
    Folders,
    Photograph,
    digest_contents,
    read_folder,
    read_folders,
    read_negatives,
)
from pretraining.light.cascade import make_cascade
from pretraining.light.heads import make_light_heads
from pretraining.recipes import RECIPES, CascadeRecipe, LightHeadsRecipe, ScratchRecipe
from pretraining.seed.reproduce import reproduce
from pretraining.seed.training_runs import ROWS, RUNS
from pretraining.transfer_learning import make_transferred

ROOT = Path(__file__).resolve().parent.parent
PRETRAINED = ROOT / "model" / "pretrained"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Make what ships with Pawsort."""


@main.command()
@click.option(
    "--data", type=FOLDER, required=True, multiple=True, help="folder with cats/ and dogs/; may be given several times"
)
@click.option("--test", type=FOLDER, help="another such folder, measured once, at the end")
@click.option("--neither", type=FOLDER, help="pictures of neither cat nor dog")
@click.option("--network", type=click.Choice(sorted(RECIPES)), default=DEFAULT_TRAINED, show_default=True)
@click.option("--out", type=NEW_FOLDER, default=PRETRAINED, show_default=True)
@click.option("--cache", type=NEW_FOLDER, default=Path(".cache/pretrained"), show_default=True)
def pretrained(
    data: tuple[Path, ...], test: Path | None, neither: Path | None, network: str, out: Path, cache: Path
) -> None:
    """Train a shipped network from a labelled folder and write its weights and manifest."""
    recipe = RECIPES[network]
    folders = Folders(data, out, cache, test, neither)
    try:
        if isinstance(recipe, ScratchRecipe):
            make_from_scratch(network, recipe, folders)
        elif isinstance(recipe, CascadeRecipe):
            make_cascade(network, recipe, folders)
        elif isinstance(recipe, LightHeadsRecipe):
            make_light_heads(network, recipe, folders)
        else:
            make_transferred(network, recipe, folders)
    except PawsortError as error:
        raise click.ClickException(error.message) from error


@main.command("convert")
@click.option("--data", type=FOLDER, required=True, multiple=True, help="the folders that the network was trained on")
@click.option("--neither", type=FOLDER, help="pictures of neither cat nor dog")
@click.option("--network", type=click.Choice(sorted(TRAINABLE)), default=DEFAULT_TRAINED, show_default=True)
@click.option("--out", type=NEW_FOLDER, default=PRETRAINED, show_default=True, help="holds the network")
def convert_network(data: tuple[Path, ...], neither: Path | None, network: str, out: Path) -> None:
    """Convert a shipped network for LiteRT, and write what came out next to it."""
    manifest = Manifest.from_json((out / f"{network}.json").read_text(encoding="utf-8"))
    try:
        photographs = read_folders(data)
        negatives = read_negatives(neither) if neither else []
        validation = decode(group_by_split(photographs, data[0])["validation"], manifest.side_px, "validation")
        calibration = choose_calibration(photographs, negatives, manifest.side_px)
        converted = convert_shipped(manifest, (out / f"{network}.npz").read_bytes(), calibration, validation)
    except (PawsortError, DisagreementError) as error:
        raise click.ClickException(str(error)) from error
    write_converted(converted, network, out)


@main.command("reproduce")
@click.option("--data", type=FOLDER, required=True, help="folder with cats/ and dogs/; 2,500 of each are used")
@click.option("--test", type=FOLDER, required=True, help="another such folder, measured after each epoch")
@click.option(
    "--run", "names", type=click.Choice(list(RUNS)), multiple=True, default=list(ROWS), help="which trainings to repeat"
)
@click.option("--out", type=NEW_FOLDER, default=ROOT / "docs" / "seed-results", show_default=True)
@click.option("--cache", type=NEW_FOLDER, default=Path(".cache/reproduce"), show_default=True)
def reproduce_table(names: tuple[str, ...], data: Path, test: Path, out: Path, cache: Path) -> None:
    """Repeat the trainings of the original description's table and write their results."""
    try:
        reproduce(names, data, test, out, cache)
    except PawsortError as error:
        raise click.ClickException(error.message) from error


def make_from_scratch(network: str, recipe: ScratchRecipe, folders: Folders) -> Manifest:
    """Make a version from random weights; the steps are those at the top of this module.

    Args:
        network: A name of `registry.ARCHITECTURES`.
        recipe: How it is trained.
        folders: Photographs, and where results are written.
    Raises:
        Invalid: A folder is not a labelled one, or has too few photographs.
    """
    photographs = read_folders(folders.data)
    by_split = group_by_split(photographs, folders.data[0])
    side_px = NETWORKS[network].side_px
    training = decode(by_split["training"], recipe.source_px, "training")
    splits = {name: decode(by_split[name], side_px, name) for name in ("validation", "judging")}
    state_file = folders.cache / f"{network}-{_fingerprint(network, recipe, photographs)}.npz"
    model = fold(_train(network, recipe, training, splits["validation"], state_file), network)
    if folders.test is not None:
        splits["test"] = decode(read_folder(folders.test), side_px, "test")
    weights = pack_weights(model.get_weights(), weight_names(model))
    return finish_version(network, recipe, photographs, weights, EvaluationImages(splits), folders)


def _fingerprint(network: str, recipe: ScratchRecipe, photographs: list[Photograph]) -> str:
    """Identifies a training, so only the same one resumes from its state."""
    return digest_of(f"{network} {recipe} {digest_contents(photographs)}".encode())[:16]


def _train(network: str, recipe: ScratchRecipe, training: Examples, validation: Examples, state_file: Path) -> Any:
    """Train the normalised network. Each epoch writes the state to the file."""
    import keras

    keras.utils.set_random_seed(recipe.recipe.seed)
    trainer = Trainer(build_normalised(network, recipe.dropout), recipe.recipe, training, validation)
    state = array_cache.find(state_file)
    if state is not None:
        trainer.restore(state)
        click.echo(f"resuming after epoch {trainer.n_epochs_done}")
    for epoch in trainer.epochs():
        click.echo(_line(epoch))
        array_cache.save(state_file, trainer.state())
    return trainer.model


def _line(epoch: Epoch) -> str:
    return (
        f"epoch {epoch.number}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f}; validation {epoch.val_loss:.4f},"
        f" {epoch.val_accuracy:.4f}; {epoch.seconds:.1f} s, {epoch.images_per_s:.0f} images/s"
    )


if __name__ == "__main__":
    main()
