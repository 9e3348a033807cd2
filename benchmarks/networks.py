"""The shipped networks side by side, on one thread: how fast they are, and what they say.

    python -m benchmarks.networks [--rounds N] [--no-accuracy]

`efficientnet-lite0` in TensorFlow, as Pawsort served before LiteRT, is what the others are compared with. All classify
the same photographs in turns within each round; rates are per second of CPU time, and the medians of the ratios within
a round are what counts. PAWSORT_TEST_DATA names the folder with photographs: `dogs-vs-cats/val/{cats,dogs}` and
`neither`.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.threads import use_one_thread
from core.base.network_catalog import CLASSES
from core.decoding.images import decode_image
from model.arrays.metrics import evaluate
from model.inference.classifier import Classifier
from pretraining.labelled_folders import read_negatives
from pretraining.light.distillation import is_for_training

BEFORE = "efficientnet-lite0"
NETWORKS = (BEFORE, "efficientnet-lite2", "efficientnet-lite0-fast", "efficientnet-lite2-fast")
N_TIMED = 160


@dataclass(frozen=True)
class Contender:
    """A network, and how it is run."""

    name: str
    classifier: Classifier


def main() -> None:
    """Print the figures of each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-accuracy", action="store_true")
    options = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    use_one_thread()
    data = Path(os.environ["PAWSORT_TEST_DATA"])
    contenders = _open()
    pets = [(path, label) for label, name in enumerate(CLASSES) for path in _list(data, f"{name}s")]
    timed = [path for path, _ in random.Random(2).sample(pets, N_TIMED)]
    _compare_speed(contenders, timed, options.rounds)
    if not options.no_accuracy:
        _compare_answers(contenders, pets)
        _compare_neither(contenders, data / "neither")


def _open() -> list[Contender]:
    from benchmarks.shipped import open_shipped
    from model.inference.tensorflow_engine import configure_threads

    configure_threads(1)
    before = Contender(f"{BEFORE}, TensorFlow", open_shipped(BEFORE, with_tensorflow=True))
    return [before, *(Contender(network, open_shipped(network)) for network in NETWORKS)]


def _compare_speed(contenders: Sequence[Contender], paths: Sequence[Path], n_rounds: int) -> None:
    images = {side_px: _decode(paths, side_px) for side_px in {one.classifier.side_px for one in contenders}}
    rates: list[list[float]] = []
    for _ in range(n_rounds):
        rates.append([])
        for one in contenders:
            started = time.process_time()
            one.classifier.predict_with_features(images[one.classifier.side_px])
            rates[-1].append(len(paths) / (time.process_time() - started))
    for one, speeds in zip(contenders, zip(*rates, strict=True), strict=True):
        ratios = [speed / row[0] for speed, row in zip(speeds, rates, strict=True)]
        print(
            f"{one.name}: {statistics.median(speeds):,.0f} images per second of CPU time;"
            f" {statistics.median(ratios):.2f} times {contenders[0].name} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


def _compare_answers(contenders: Sequence[Contender], pets: Sequence[tuple[Path, int]]) -> None:
    labels = np.array([label for _, label in pets])
    right: list[NDArray[np.bool_]] = []
    for one in contenders:
        manifest = one.classifier.manifest
        predictions = one.classifier.predict_with_features(_decode([path for path, _ in pets], manifest.side_px))
        metrics = evaluate(predictions.probabilities, labels, manifest.classes, manifest.threshold)
        right.append(predictions.probabilities.argmax(axis=1) == labels)
        asked = "" if predictions.by_teacher is None else f", answers {1 - predictions.by_teacher.mean():.1%} itself"
        pairs = f"only here {(right[-1] & ~right[0]).sum()}, only {contenders[0].name} {(right[0] & ~right[-1]).sum()}"
        print(
            f"{one.name}: {metrics.accuracy:.4f} of {len(labels)} right ({pairs}), calibration error"
            f" {metrics.calibration_error:.4f}, labelled wrong {metrics.wrong:.4f}, unsure {metrics.unsure:.4f}{asked}",
            flush=True,
        )
    for index in np.flatnonzero(~np.all(right, axis=0)):
        wrong = [one.name for one, rows in zip(contenders, right, strict=True) if not rows[index]]
        print(f"    {pets[index][0].parent.name}/{pets[index][0].name}: wrong by {'; '.join(wrong)}")


def _compare_neither(contenders: Sequence[Contender], folder: Path) -> None:
    photographs = read_negatives(folder)
    is_unseen = np.array([not is_for_training(one) for one in photographs])
    for one in contenders:
        images = np.stack([decode_image(photograph.data, one.classifier.side_px) for photograph in photographs])
        is_unsure = one.classifier.predict(images).max(axis=1) < one.classifier.manifest.threshold
        print(
            f"{one.name}: unsure of {is_unsure.sum()} of {len(images)} of neither class, and of"
            f" {is_unsure[is_unseen].sum()} of the {is_unseen.sum()} that train no light network"
        )


def _list(data: Path, name: str) -> list[Path]:
    return sorted((data / "dogs-vs-cats" / "val" / name).iterdir())


def _decode(paths: Sequence[Path], side_px: int) -> NDArray[np.uint8]:
    return np.stack([decode_image(path.read_bytes(), side_px) for path in paths])


if __name__ == "__main__":
    main()
