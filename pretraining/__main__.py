"""What the shipped networks are made with: from a labelled folder to weights and manifest.

    python -m pretraining pretrained --data FOLDER [--test FOLDER] [--neither FOLDER] [--network NAME]
    python -m pretraining reproduce --data FOLDER --test FOLDER [--run NAME]…

The second one is explained in `reproduce.py`. In the first, a network that begins from published weights goes the way
of `transfer.py`; the others:

1. read the folder and share it out by content: 80 % training, 10 % validation, 10 % judging;
2. decode with the product's own function, training pictures larger than the input;
3. train the network's twin by its recipe, keeping the state after each epoch in `.cache/`: started again, it goes on;
4. fold the twin, fit calibration and threshold on the validation part;
5. measure on validation, judging and, if there is one, the test folder; write `model/pretrained/`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from core.base.errors import PawsortError
from core.base.network_catalog import DEFAULT_NETWORK, NETWORKS
from model.architectures.folding import build_twin, fold
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of, pack_weights, weight_names
from model.training.train import Epoch, Examples, Trainer
from pretraining import array_cache
from pretraining.finish_version import Watched, decode, describe, split, write_version
from pretraining.labelled_folders import Photograph, digest_contents, read_folder, read_folders
from pretraining.recipes import SHIPPED, Shipped
from pretraining.reproduce import reproduce
from pretraining.seed_training_runs import ROWS, RUNS
from pretraining.transfer_learning import make_transferred

ROOT = Path(__file__).resolve().parent.parent
PRETRAINED = ROOT / "model" / "pretrained"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Make what ships with Pawsort."""


@main.command()
@click.option("--data", type=FOLDER, required=True, multiple=True, help="holds cats/, dogs/; may be given again")
@click.option("--test", type=FOLDER, help="measured once, at the end")
@click.option("--neither", type=FOLDER, help="pictures of neither cat nor dog")
@click.option("--network", type=click.Choice(sorted(SHIPPED)), default=DEFAULT_NETWORK, show_default=True)
@click.option("--out", type=NEW_FOLDER, default=PRETRAINED, show_default=True)
@click.option("--cache", type=NEW_FOLDER, default=Path(".cache/pretrained"), show_default=True)
def pretrained(
    data: tuple[Path, ...], test: Path | None, neither: Path | None, network: str, out: Path, cache: Path
) -> None:
    """Train a shipped network from a labelled folder and write its weights and manifest."""
    shipped = SHIPPED[network]
    try:
        if isinstance(shipped, Shipped):
            make_pretrained(network, shipped, data, test, out, cache)
        else:
            make_transferred(network, shipped, data, test, neither, out, cache)
    except PawsortError as error:
        raise click.ClickException(error.message) from error


@main.command("reproduce")
@click.option("--data", type=FOLDER, required=True, help="holds cats/, dogs/: 2,500 of each are taken")
@click.option("--test", type=FOLDER, required=True, help="another such folder, measured after each epoch")
@click.option(
    "--run", "names", type=click.Choice(list(RUNS)), multiple=True, default=list(ROWS), help="which trainings"
)
@click.option("--out", type=NEW_FOLDER, default=ROOT / "docs" / "seed-results", show_default=True)
@click.option("--cache", type=NEW_FOLDER, default=Path(".cache/reproduce"), show_default=True)
def reproduce_table(names: tuple[str, ...], data: Path, test: Path, out: Path, cache: Path) -> None:
    """Run the trainings of the original description's table and write what came of them."""
    try:
        reproduce(names, data, test, out, cache)
    except PawsortError as error:
        raise click.ClickException(error.message) from error


def make_pretrained(
    network: str, shipped: Shipped, data: Sequence[Path], test: Path | None, out: Path, cache: Path
) -> Manifest:
    """All of it; the steps are those at the top of this module.

    Raises:
        Invalid: The folder is not a labelled one, or holds too little to train on.
    """
    photographs = read_folders(data)
    parts = split(photographs, data[0])
    side_px = NETWORKS[network].side_px
    training = decode(parts["training"], shipped.source_px, "training")
    watched = {name: decode(parts[name], side_px, name) for name in ("validation", "judging")}
    state_file = cache / f"{network}-{_fingerprint(network, shipped, photographs)}.npz"
    model = fold(_train(network, shipped, training, watched["validation"], state_file), network)
    if test is not None:
        watched["test"] = decode(read_folder(test), side_px, "test")
    weights = pack_weights(model.get_weights(), weight_names(model))
    manifest = describe(network, shipped, photographs, weights, Watched(watched))
    write_version(manifest, weights, out)
    return manifest


def _fingerprint(network: str, shipped: Shipped, photographs: list[Photograph]) -> str:
    """Names a training: the same one goes on from its state, another one never does."""
    return digest_of(f"{network} {shipped} {digest_contents(photographs)}".encode())[:16]


def _train(network: str, shipped: Shipped, training: Examples, validation: Examples, state_file: Path) -> Any:
    """The trained twin; each epoch leaves the state in the file."""
    import keras

    keras.utils.set_random_seed(shipped.recipe.seed)
    trainer = Trainer(build_twin(network, shipped.dropout), shipped.recipe, training, validation)
    state = array_cache.find(state_file)
    if state is not None:
        trainer.restore(state)
        click.echo(f"going on after epoch {trainer.n_epochs_done}")
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
