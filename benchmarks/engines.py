"""LiteRT against TensorFlow: how fast both run the shipped networks on one thread, and what they say.

    python -m benchmarks.engines [--network NAME]… [--rounds N] [--no-accuracy]

Both run the same photographs in turns within each round; the median of the ratios is what counts. PAWSORT_TEST_DATA
names the folder with photographs: `dogs-vs-cats/val/{cats,dogs}` and `neither`. Both then classify all of them, and
what only one of them gets right is counted.
"""

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.threads import use_one_thread
from core.base.network_catalog import CLASSES
from core.decoding.images import decode_image
from model.arrays.metrics import evaluate
from model.inference.classifier import Classifier

N_TIMED = {"seed-cnn": 2048, "efficientnet-lite0": 64}


def main() -> None:
    """Print the figures of each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=list(N_TIMED))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-accuracy", action="store_true")
    options = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    use_one_thread()
    data = Path(os.environ["PAWSORT_TEST_DATA"])
    for network in options.network or N_TIMED:
        _compare(network, data, options.rounds, not options.no_accuracy)


def _compare(network: str, data: Path, n_rounds: int, with_accuracy: bool) -> None:
    from benchmarks.shipped import open_shipped
    from model.inference.tensorflow_engine import configure_threads

    configure_threads(1)
    old, new = open_shipped(network, with_tensorflow=True), open_shipped(network)
    pets = {label: sorted((data / "dogs-vs-cats" / "val" / f"{name}s").iterdir()) for label, name in enumerate(CLASSES)}
    images = _decode(pets[0][: N_TIMED[network]], old.side_px)
    _compare_speed(network, old, new, np.resize(images, (N_TIMED[network], *images.shape[1:])), n_rounds)
    if with_accuracy:
        images = np.concatenate([_decode(paths, old.side_px) for paths in pets.values()])
        labels = np.repeat(list(pets), [len(paths) for paths in pets.values()])
        _compare_answers(network, old, new, images, labels)
        _compare_neither(network, old, new, _decode(sorted((data / "neither").iterdir()), old.side_px))


def _compare_speed(network: str, old: Classifier, new: Classifier, images: NDArray[np.uint8], n_rounds: int) -> None:
    speeds: list[tuple[float, float]] = []
    for _ in range(n_rounds):
        seconds = []
        for classifier in (old, new):
            started = time.perf_counter()
            classifier.predict_with_features(images)
            seconds.append(time.perf_counter() - started)
        speeds.append((len(images) / seconds[0], len(images) / seconds[1]))
    ratios = [after / before for before, after in speeds]
    medians = [statistics.median(speed) for speed in zip(*speeds, strict=True)]
    print(
        f"{network}: TensorFlow {medians[0]:,.0f}/s, LiteRT {new.engine.precision} {medians[1]:,.0f}/s on one thread;"
        f" median ratio of {n_rounds}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def _compare_answers(
    network: str, old: Classifier, new: Classifier, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> None:
    before, after = old.predict(images), new.predict(images)
    right, right_now = before.argmax(axis=1) == labels, after.argmax(axis=1) == labels
    print(f"{network}: right only before {(right & ~right_now).sum()}, only now {(right_now & ~right).sum()}")
    for name, probabilities in (("TensorFlow", before), ("LiteRT", after)):
        metrics = evaluate(probabilities, labels, old.classes, old.manifest.threshold)
        print(
            f"    {name}: {metrics.accuracy:.4f} of {len(labels)} right, calibration error"
            f" {metrics.calibration_error:.4f}, labelled wrong {metrics.wrong:.4f}, unsure {metrics.unsure:.4f}"
        )


def _compare_neither(network: str, old: Classifier, new: Classifier, images: NDArray[np.uint8]) -> None:
    threshold = old.manifest.threshold
    n_unsure = [int((one.predict(images).max(axis=1) < threshold).sum()) for one in (old, new)]
    print(f"{network}: of {len(images)} of neither class, TensorFlow leaves {n_unsure[0]} unsure, LiteRT {n_unsure[1]}")


def _decode(paths: Sequence[Path], side_px: int) -> NDArray[np.uint8]:
    return np.stack([decode_image(path.read_bytes(), side_px) for path in paths])


if __name__ == "__main__":
    main()
