"""Training jobs of the product against plain Keras `fit`: same network, photographs, batches and augmentation.

The product's side is real: an instance, an upload, the calls of `pawsort train`, and the images/s that its epochs
record. The other side is the code of a careful Keras user: `tf.data` with the same augmentation, mapped in parallel and
prefetched. Rounds alternate, with the same number of epochs in each. The first epoch does not count, because graphs are
traced in it. The training worker runs at low priority, so use an otherwise idle machine.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from core.base.network_catalog import NETWORKS
from core.training.parameters import choose_parameters
from core.training.splits import Split
from instance.supervisor.attach import started_instance
from model.architectures.registry import build
from model.training.augmentation import STRONG, augment
from pawsort.client.pawsort import Pawsort
from pawsort.operations.jobs import ENDED
from pawsort.operations.references import new_id
from pawsort.uploads.sources import SourceFile, walk
from pawsort.uploads.transfer import limits_of, upload_files
from pretraining.labelled_folders import decode_all, read_folder
from worker.training.trainer_setup import input_sides_of

NETWORK = "seed-cnn"
BATCH = 64
LEARNING_RATE = 1e-3
GIVEN = {"network": NETWORK, "batch_size": BATCH, "learning_rate": LEARNING_RATE, "augmentation": "strong"}
POLL_S = 0.2
GOAL = 0.95


def main() -> None:
    """Measure, and print one line for each round and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="has cats/ and dogs/, such as dogs-vs-cats/train")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    measure(options.folder, options.epochs, options.rounds)


def measure(folder: Path, n_epochs: int, n_rounds: int) -> None:
    """Alternate; both use the training split only."""
    with (
        tempfile.TemporaryDirectory(prefix="pawsort-bench-") as data_dir,
        started_instance(Path(data_dir)) as instance,
        Pawsort(instance.address, instance.token) as client,
    ):
        upload = send(client, folder)
        plain = PlainKeras(folder)
        ratios = []
        for number in range(1, n_rounds + 1):
            product, bare = train(client, upload, n_epochs), plain.fit(n_epochs)
            ratios.append(product / bare)
            rates = f"product {product:,.0f} images/s, fit {bare:,.0f} images/s"
            print(f"round {number}: {rates}, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio of {n_rounds}: {statistics.median(ratios):.2f} (goal: at least {GOAL})")


class PlainKeras:
    """The compiled network, and the training photographs as augmented by `tf.data`."""

    def __init__(self, folder: Path) -> None:
        import keras
        import tensorflow as tf

        photographs = [each for each in read_folder(folder) if each.split == "training"]
        side_px = NETWORKS[NETWORK].side_px
        sides = input_sides_of(choose_parameters(GIVEN, len(photographs)))
        images, labels, _ = decode_all(photographs, sides[Split.TRAINING])
        self._n_images = len(images)
        data = tf.data.Dataset.from_tensor_slices((images, labels.astype(np.float32)[:, None]))
        counter = tf.data.Dataset.counter(dtype=tf.int32)

        def augment_batch(number: Any, batch: Any) -> Any:
            return augment(batch[0], side_px, STRONG, tf.stack([1, number])), batch[1]

        batches = data.shuffle(self._n_images).batch(BATCH)
        self._data = (
            tf.data.Dataset.zip(counter, batches)
            .map(augment_batch, num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(tf.data.AUTOTUNE)
        )
        self._model = build(NETWORK)
        self._model.compile(keras.optimizers.Adam(LEARNING_RATE), "binary_crossentropy", metrics=["accuracy"])

    def fit(self, n_epochs: int) -> float:
        """Images/s: the median over all epochs except the first."""
        import keras

        seconds: list[float] = []
        clock = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: seconds.append(-time.perf_counter()),
            on_epoch_end=lambda epoch, logs: seconds.append(seconds.pop() + time.perf_counter()),
        )
        self._model.fit(self._data, epochs=n_epochs, verbose=0, callbacks=[clock])
        return self._n_images / statistics.median(seconds[1:])


def send(client: Pawsort, folder: Path) -> str:
    """Upload a labelled folder. Returns the id of the upload."""
    upload = new_id()
    limits = limits_of(client.uploads.create(upload, name="bench", labelled=True))
    files = (item for item in walk([folder]) if isinstance(item, SourceFile))
    upload_files(client.uploads, upload, files, limits, on_uploaded=lambda _: None, on_skip=print)
    return upload


def train(client: Pawsort, upload: str, n_epochs: int) -> float:
    """Run a training job to its end. Returns images/s: the median over all epochs except the first."""
    parameters: Any = GIVEN | {"epochs": n_epochs}
    job = client.trainings.start([upload], name="bench", **parameters)
    while (view := client.jobs.get(job)).state not in ENDED:
        time.sleep(POLL_S)
    if view.state != "done":
        raise RuntimeError(f"the training ended as {view.state}: {view.error}")
    return statistics.median(epoch.images_per_s for epoch in client.jobs.epochs(job).items[1:])


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
