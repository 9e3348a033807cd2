"""A GPU in one table, in under five minutes: `make bench-gpu`, or `python -m benchmarks.gpu [--json FILE] [--quick]`.

One process feeds it, as a worker does: decoder children, one for each core, decode ahead while it predicts. Without a
GPU, or with --quick, a few images show that all of it runs; then the figures mean nothing.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figures
from benchmarks.photographs import make_folder
from benchmarks.shipped import FOLDER
from core.base.network_catalog import TRAINABLE
from core.decoding.decoded import Decoded
from core.decoding.limits import MAX_PIXELS
from core.decoding.pool.decoder_pool import DecodeLimits, DecoderPool, processors
from model.architectures.registry import build
from model.inference import devices
from model.inference.classifier import Classifier
from model.inference.devices import CPU, Device
from model.training.examples import Examples
from model.training.recipe import Recipe
from model.training.trainer import Trainer
from pretraining import shipped

N_IMAGES, FEW = 20_000, 64
N_TRAINING = 8_192
PIECE = 16
LIMITS = DecodeLimits(MAX_PIXELS, 2 * 2**30, 20.0)


def main() -> None:
    """Measure, print the table, and write JSON where wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{FEW} images")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    device = devices.set_up()
    is_real = device != CPU and not options.quick
    figures = Figures()
    print(f"{device.name}{'' if is_real else ': a dry run, its figures mean nothing'}")
    with (
        tempfile.TemporaryDirectory(prefix="pawsort-bench-") as folder,
        DecoderPool(limits=LIMITS, n_children=processors()) as pool,
    ):
        files = [path.read_bytes() for path in make_folder(Path(folder), N_IMAGES if is_real else FEW)]
        pool.decode_batch(files[:FEW], 8)  # starts the children
        for network in TRAINABLE:
            _measure_prediction(figures, network, device, pool, files)
            _measure_training(figures, network, N_TRAINING if is_real else FEW)
    print(f"\n{device.name}, {figures.table()}")
    if options.json:
        figures.write_json(options.json)


def _measure_prediction(figures: Figures, network: str, device: Device, pool: DecoderPool, files: list[bytes]) -> None:
    version = shipped.read_shipped(network, FOLDER)
    in_halves = Classifier(version.manifest, version.weights, device)
    in_float = Classifier(replace(version.manifest, half_precision=None), version.weights, device)
    side_px = in_halves.side_px
    images = np.zeros((len(files), side_px, side_px, 3), np.uint8)
    for classifier in [in_float] if in_halves.engine.precision == "float32" else [in_float, in_halves]:
        classifier.warm_up()
        subject = f"{network}, {classifier.engine.precision}, batches of {classifier.batch_size}"
        figures.add(f"{subject}, network alone", _rate(len(files), partial(classifier.predict, images)), "images/s")
    limit = _rate(len(files), lambda: list(_decode(pool, files, side_px, PIECE)))
    figures.add(f"decoding to {side_px} px, {processors()} children", limit, "images/s")
    fed = _rate(len(files), lambda: [in_halves.predict(i) for i in _decode(pool, files, side_px, in_halves.batch_size)])
    figures.add(f"{network}, {in_halves.engine.precision}, decoded meanwhile", fed, "images/s", fed / limit)


def _decode(pool: DecoderPool, files: list[bytes], side_px: int, n_least: int) -> Iterator[NDArray[np.uint8]]:
    """The images, at least so many at a time but for the last ones; the children go on meanwhile."""
    waiting: list[NDArray[np.uint8]] = []
    for piece in pool.decode_pieces(files, side_px, None, PIECE):
        waiting += [one.pixels for one in piece if isinstance(one, Decoded)]
        if len(waiting) >= n_least:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)


def _measure_training(figures: Figures, network: str, n: int) -> None:
    """All layers of the network, strongly augmented; the first epoch, which traces the graphs, does not count."""
    model = build(network)
    side_px = model.input_shape[1]
    examples = Examples(np.zeros((n, side_px, side_px, 3), np.uint8), np.arange(n) % 2)
    few = Examples(examples.images[:FEW], examples.labels[:FEW])
    *_, last = Trainer(model, Recipe(epochs=2), examples, few).epochs()
    figures.add(f"{network}, training in batches of 64", last.images_per_s, "images/s")


def _rate(n: int, action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return n / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
