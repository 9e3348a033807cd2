"""What the shipped networks are made with: from a labelled folder to weights and manifest.

    python -m worker.offline pretrained --data FOLDER [--test FOLDER] [--network NAME]

1. read the folder and share it out by content: 80 % training, 10 % validation, 10 % judging;
2. decode with the product's own function, training pictures larger than the input;
3. train the network's twin by its recipe, keeping the state after each epoch in `.cache/`: started again, it goes on;
4. fold the twin, fit calibration and threshold on the validation part;
5. measure on validation, judging and, if there is one, the test folder; write `model/pretrained/`.
"""

import json
import os
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid, PawsortError
from core.networks import CLASSES, DEFAULT_NETWORK, NETWORKS
from core.parts import RULE
from model.calibrate import calibrate, choose_threshold, fit_temperature
from model.classifier import Classifier
from model.evaluate import judge
from model.folding import build_twin, fold
from model.manifest import Manifest
from model.train import Epoch, Examples, Trainer
from model.weights import digest_of, pack_weights, weight_names
from worker.folders import Photograph, decode_all, digest_contents, read_folder
from worker.recipes import SHIPPED, Shipped

PRETRAINED = Path(__file__).resolve().parent.parent / "model" / "pretrained"
_ENOUGH = 100  # pictures for the validation part: with fewer, calibration and threshold would be chance


@click.group()
def main() -> None:
    """Make what ships with Pawsort."""


@main.command()
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True, help="holds cats/, dogs/"
)
@click.option("--test", type=click.Path(exists=True, file_okay=False, path_type=Path), help="measured once, at the end")
@click.option("--network", type=click.Choice(sorted(SHIPPED)), default=DEFAULT_NETWORK, show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=PRETRAINED, show_default=True)
@click.option(
    "--cache", type=click.Path(file_okay=False, path_type=Path), default=Path(".cache/pretrained"), show_default=True
)
def pretrained(data: Path, test: Path | None, network: str, out: Path, cache: Path) -> None:
    """Train a shipped network from a labelled folder and write its weights and manifest."""
    try:
        make_pretrained(network, SHIPPED[network], data, test, out, cache)
    except PawsortError as error:
        raise click.ClickException(error.message) from error


def make_pretrained(network: str, shipped: Shipped, data: Path, test: Path | None, out: Path, cache: Path) -> Manifest:
    """All of it; the steps are those at the top of this module.

    Raises:
        Invalid: The folder is not a labelled one, or holds too little to train on.
    """
    photographs = read_folder(data)
    parts = {name: [p for p in photographs if p.part == name] for name in ("training", "validation", "judging")}
    smallest = min(len(part) for part in parts.values())
    if smallest < _ENOUGH:
        raise Invalid(
            f"{data}: expected at least {_ENOUGH} photographs in each part; the smallest has {smallest}. Add some."
        )
    side_px = NETWORKS[network].side_px
    training = _decode(parts["training"], shipped.source_px, "training")
    watched = {name: _decode(parts[name], side_px, name) for name in ("validation", "judging")}
    state_file = cache / f"{network}-{_fingerprint(network, shipped, photographs)}.npz"
    model = fold(_train(network, shipped, training, watched["validation"], state_file), network)
    if test is not None:
        watched["test"] = _decode(read_folder(test), side_px, "test")
    weights = pack_weights(model.get_weights(), weight_names(model))
    manifest = _describe(network, shipped, photographs, weights, watched)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{network}.npz").write_bytes(weights)
    (out / f"{network}.json").write_text(manifest.to_json(), encoding="utf-8")
    for name, figures in manifest.metrics.items():
        click.echo(f"{name}: accuracy {figures['accuracy']:.4f} on {figures['n_images']}")
    return manifest


def _decode(photographs: list[Photograph], side_px: int, what: str) -> Examples:
    images, labels, n_unreadable = decode_all(photographs, side_px)
    click.echo(f"{what}: {len(images)} photographs at {side_px} px, {n_unreadable} unreadable")
    return Examples(images, labels)


def _fingerprint(network: str, shipped: Shipped, photographs: list[Photograph]) -> str:
    """Names a training: the same one goes on from its state, another one never does."""
    return digest_of(f"{network} {shipped} {digest_contents(photographs)}".encode())[:16]


def _train(network: str, shipped: Shipped, training: Examples, validation: Examples, state_file: Path) -> Any:
    """The trained twin; each epoch leaves the state in the file."""
    import keras

    keras.utils.set_random_seed(shipped.recipe.seed)
    trainer = Trainer(build_twin(network, shipped.dropout), shipped.recipe, training, validation)
    if state_file.exists():
        with np.load(state_file, allow_pickle=False) as state:
            trainer.restore(dict(state))
        click.echo(f"going on after epoch {trainer.n_epochs_done}")
    for epoch in trainer.epochs():
        click.echo(_line(epoch))
        _save_state(trainer.state(), state_file)
    return trainer.model


def _save_state(state: dict[str, NDArray[Any]], path: Path) -> None:
    """Write beside, then rename: a kill leaves the old state or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **state)
    os.replace(beside, path)


def _line(epoch: Epoch) -> str:
    return (
        f"epoch {epoch.number}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f}; validation {epoch.val_loss:.4f},"
        f" {epoch.val_accuracy:.4f}; {epoch.seconds:.1f} s, {epoch.images_per_s:.0f} images/s"
    )


def _describe(
    network: str, shipped: Shipped, photographs: list[Photograph], weights: bytes, watched: dict[str, Examples]
) -> Manifest:
    """Fit calibration and threshold on the validation part, then measure through the classifier itself."""
    counts = Counter(photograph.part for photograph in photographs)
    by_class = Counter(CLASSES[photograph.label] for photograph in photographs)
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
        seed=shipped.recipe.seed,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command="make pretrained DATA=FOLDER TEST=FOLDER",
    )
    classifier = Classifier(plain, weights)
    raw = {name: classifier.outputs(examples.images) for name, examples in watched.items()}
    labels = watched["validation"].labels
    temperature = fit_temperature(raw["validation"], labels)
    threshold = choose_threshold(
        calibrate(raw["validation"], temperature), labels, max_wrong=shipped.max_wrong, max_unsure=shipped.max_unsure
    )
    figures = {
        name: asdict(judge(calibrate(outputs, temperature), watched[name].labels, CLASSES, threshold))
        for name, outputs in raw.items()
    }
    return replace(plain, calibration={"temperature": temperature}, threshold=threshold, metrics=figures)


if __name__ == "__main__":
    main()
