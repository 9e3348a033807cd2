"""Runs the trainings of the original description's table and keeps what they recorded.

    python -m pretraining reproduce --data FOLDER --test FOLDER [--run NAME]…

1. take the 2,500 photographs of each class whose SHA-256 is smallest;
2. train `seed-cnn` as described, keeping state and curve after each epoch in `.cache/`: started again, it goes on;
3. write the curve (`<run>.csv`) and the record (`<run>.json`) to `docs/seed-results/`;
4. make `docs/seed-results.md` from the records that are there.
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
from model.training.trainer import Epoch, Examples, Trainer
from pretraining import array_cache
from pretraining.labelled_folders import Photograph, decode_all, digest_contents, read_folder
from pretraining.seed_results_page import write_page
from pretraining.seed_training_runs import N_OF_EACH_CLASS, RUNS, Run

NETWORK = "seed-cnn"
CURVE = "curve"
COLUMNS = tuple(field.name for field in fields(Epoch))


def reproduce(names: Sequence[str], data: Path, test: Path, out: Path, cache: Path) -> None:
    """All of it; the steps are those at the top of this module.

    Args:
        names: Of `seed_table.RUNS`.
        data: Holds cats/ and dogs/.
        test: Another such folder, measured after each epoch: this table alone does not keep the parts apart.
        out: Folder for the records; the page is written beside it.
    Raises:
        Invalid: A folder is not a labelled one, or holds too little.
    """
    photographs = choose_photographs(data)
    side_px = NETWORKS[NETWORK].side_px
    training, watched = _decode(photographs, side_px), _decode(read_folder(test), side_px)
    for name in names:
        work = digest_of(f"{RUNS[name].recipe} {digest_contents(photographs)}".encode())[:16]
        record, curve = run_training(name, RUNS[name], training, watched, cache / f"{name}-{work}.npz")
        record["data"] = {"n_images": len(photographs), "sha256": digest_contents(photographs)}
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.csv").write_text(curve, encoding="utf-8")
        (out / f"{name}.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    write_page(out)


def choose_photographs(folder: Path) -> list[Photograph]:
    """As many of each class as the description had: those with the smallest hashes, whatever files are called.

    Raises:
        Invalid: There are fewer.
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


def run_training(name: str, run: Run, training: Examples, watched: Examples, state: Path) -> tuple[dict[str, Any], str]:
    """Train one run to its end, from where it was stopped.

    Returns:
        The record, and the curve as CSV with a line for each epoch.
    """
    import keras

    keras.utils.set_random_seed(run.recipe.seed)
    trainer = Trainer(build(NETWORK), run.recipe, training, watched)
    epochs: list[Epoch] = []
    kept = array_cache.find(state)
    if kept is not None:
        epochs = [Epoch(int(row[0]), *row[1:].tolist()) for row in kept.pop(CURVE)]
        trainer.restore(kept)
    for epoch in trainer.epochs():
        epochs.append(epoch)
        click.echo(
            f"{name}: epoch {epoch.number}, loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f}, "
            f"test {epoch.val_accuracy:.4f}, {epoch.seconds:.0f} s"
        )
        array_cache.save(state, trainer.state() | {CURVE: np.array([astuple(one) for one in epochs])})
    weights = pack_weights(trainer.model.get_weights(), weight_names(trainer.model))
    return _describe(run, epochs, len(watched.labels), digest_of(weights)), _to_csv(epochs)


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
        raise Invalid(
            f"Expected photographs that can be read; {n_unreadable} of {len(photographs)} cannot. Remove them."
        )
    return Examples(images, labels)
