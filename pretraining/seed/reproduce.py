"""Repeats the trainings of the original description's table and records the results.

    python -m pretraining reproduce --data FOLDER --test FOLDER [--run NAME]…

1. choose the 2,500 photographs of each class with the smallest SHA-256;
2. train `seed-cnn` as described. State and curve after each epoch are in `.cache/`, so a second start resumes there;
3. write the curve (`<run>.csv`) and the record (`<run>.json`) to `docs/seed-results/`;
4. write `docs/seed-results.md` from all records.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Any

import click
import numpy as np

from core.base.errors import Invalid
from core.base.network_catalog import CLASSES, NETWORKS
from model.architectures.registry import build
from model.arrays.metrics import wilson_interval
from model.artifacts.weights import digest_of, pack_weights, weight_names
from model.training.examples import Examples
from model.training.trainer import Epoch, Trainer
from pretraining import array_cache
from pretraining.labelled_folders import Photograph, decode_all, digest_contents, read_folder
from pretraining.seed.results_page import write_page
from pretraining.seed.training_runs import N_OF_EACH_CLASS, RUNS, Run

NETWORK = "seed-cnn"
CURVE = "curve"
COLUMNS = tuple(field.name for field in fields(Epoch))


def reproduce(names: Sequence[str], data: Path, test: Path, out: Path, cache: Path) -> None:
    """Run the trainings; the steps are those at the top of this module.

    Args:
        names: Keys of `training_runs.RUNS`.
        data: A folder with cats/ and dogs/.
        test: Another such folder, measured after each epoch. Only this table looks at the test split during training.
        out: Folder for the records; the page is written next to it.
        cache: Folder from which interrupted trainings resume.
    Raises:
        Invalid: A folder is not a labelled one, or has too few photographs.
    """
    photographs = choose_photographs(data)
    side_px = NETWORKS[NETWORK].side_px
    training, tested = _decode(photographs, side_px), _decode(read_folder(test), side_px)
    for name in names:
        work = digest_of(f"{RUNS[name].recipe} {digest_contents(photographs)}".encode())[:16]
        record, curve = run_training(name, RUNS[name], training, tested, cache / f"{name}-{work}.npz")
        record["data"] = {"n_images": len(photographs), "sha256": digest_contents(photographs)}
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.csv").write_text(curve, encoding="utf-8")
        (out / f"{name}.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    write_page(out)


def choose_photographs(folder: Path) -> list[Photograph]:
    """As many photographs of each class as in the description: those with the smallest hashes, regardless of names.

    Raises:
        Invalid: The folder has too few.
    """
    chosen: list[Photograph] = []
    photographs = read_folder(folder)
    for label, name in enumerate(CLASSES):
        of_class = sorted((p for p in photographs if p.label == label), key=lambda p: p.sha256)
        if len(of_class) < N_OF_EACH_CLASS:
            raise Invalid(
                f"{folder}: expected {N_OF_EACH_CLASS} different photographs in {name}s; got {len(of_class)}."
            )
        chosen += of_class[:N_OF_EACH_CLASS]
    return chosen


def run_training(name: str, run: Run, training: Examples, tested: Examples, state: Path) -> tuple[dict[str, Any], str]:
    """Train one run to its end, from the last state if there is one.

    Args:
        name: For the output.
        run: The training.
        training: The training images.
        tested: The test images.
        state: File with the state.

    Returns:
        The record, and the curve as CSV with one line for each epoch.
    """
    import keras

    keras.utils.set_random_seed(run.recipe.seed)
    trainer = Trainer(build(NETWORK), run.recipe, training, tested)
    epochs: list[Epoch] = []
    saved = array_cache.find(state)
    if saved is not None:
        epochs = [Epoch(int(row[0]), *row[1:].tolist()) for row in saved.pop(CURVE)]
        trainer.restore(saved)
    for epoch in trainer.epochs():
        epochs.append(epoch)
        click.echo(
            f"{name}: epoch {epoch.number}, loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f}, "
            f"test {epoch.val_accuracy:.4f}, {epoch.seconds:.0f} s"
        )
        array_cache.save(state, trainer.state() | {CURVE: np.array([astuple(each) for each in epochs])})
    weights = pack_weights(trainer.model.get_weights(), weight_names(trainer.model))
    return _describe(run, epochs, len(tested.labels), digest_of(weights)), _to_csv(epochs)


def _describe(run: Run, epochs: list[Epoch], n_test: int, digest: str) -> dict[str, Any]:
    last = epochs[-1]
    low, high = wilson_interval(round(last.val_accuracy * n_test), n_test)
    return {
        "title": run.title,
        "original": {"loss": run.original[0], "accuracy": run.original[1]},
        "loss": last.loss,
        "accuracy": last.accuracy,
        "test": {
            "n_images": n_test,
            "accuracy": last.val_accuracy,
            "low": low,
            "high": high,
            "log_loss": last.val_loss,
        },
        "recipe": json.loads(json.dumps(asdict(run.recipe))),
        "seconds": round(sum(epoch.seconds for epoch in epochs)),
        "weights": digest,
    }


def _to_csv(epochs: list[Epoch]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([f"{value:.6g}" for value in astuple(epoch)] for epoch in epochs)
    return out.getvalue()


def _decode(photographs: list[Photograph], side_px: int) -> Examples:
    images, labels, n_unreadable = decode_all(photographs, side_px)
    if n_unreadable:
        raise Invalid(f"Expected readable photographs; {n_unreadable} of {len(photographs)} are not. Remove them.")
    return Examples(images, labels)
