"""What people would write themselves with Keras: its pipeline over a folder, and one `predict` for each image.

Each runs in a process of its own, so that no other measurement shares TensorFlow's memory and threads.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

BATCH = 64
WARM_UP = 8
START_S = 600


def measure_keras_pipeline(folder: Path, network: str) -> float:
    """Images per second of `image_dataset_from_directory` and `predict`."""
    return _in_own_process(_run_pipeline, folder, network)


def measure_single_predictions(paths: Sequence[Path], network: str) -> float:
    """Images per second of `load_img` and `predict` for one image after the other."""
    return _in_own_process(_run_single, list(paths), network)


def _in_own_process(measure: Callable[..., float], *arguments: object) -> float:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply_async(measure, arguments).get(START_S)


def _run_pipeline(folder: Path, network: str) -> float:
    import keras

    model = _load(network)
    side_px = model.input_shape[1]
    started = time.perf_counter()
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(side_px, side_px), batch_size=BATCH, shuffle=False, verbose=False
    )
    n = len(model.predict(images.map(_to_bytes), verbose=0))
    return n / (time.perf_counter() - started)


def _run_single(paths: Sequence[Path], network: str) -> float:
    import keras

    model = _load(network)
    side_px = model.input_shape[1]
    started = time.perf_counter()
    for path in paths:
        image = keras.utils.load_img(path, target_size=(side_px, side_px))
        model.predict(np.asarray(image)[None], verbose=0)
    return len(paths) / (time.perf_counter() - started)


def _to_bytes(images: Any) -> Any:
    import tensorflow as tf

    return tf.cast(images, tf.uint8)


def _load(network: str) -> "keras.Model":
    from benchmarks.shipped import FOLDER
    from model.architectures.registry import build
    from model.artifacts.weights import load_into

    model = build(network)
    load_into(model, (FOLDER / f"{network}.npz").read_bytes())
    model.predict(np.zeros((WARM_UP, *model.input_shape[1:]), np.uint8), verbose=0)
    return model
