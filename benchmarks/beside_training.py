"""The speed of a classification job during a training, relative to the same job alone.

The pictures are uploaded once and classified several times, so the upload is not measured. Rounds alternate between the
job alone and the job during a training that is past its first epoch.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.photographs import make_folder
from benchmarks.training import send
from instance.supervisor.attach import started_instance
from pawsort.client.pawsort import Pawsort
from pawsort.operations.jobs import ENDED
from pawsort.operations.references import new_id
from pawsort.schemas import Job, TrainingParametersInput

POLL_S = 0.1
EPOCHS = 1000  # more than it completes before it is cancelled
GOAL = 0.6


def main() -> None:
    """Measure, and print one line for each round and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="to train on: has cats/ and dogs/, such as dogs-vs-cats/train")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", default="seed-cnn", help="of both, the job and the training")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pawsort-bench-") as name,
        started_instance(Path(name) / "data") as instance,
        Pawsort(instance.address, instance.token) as client,
    ):
        make_folder(Path(name), options.images)
        measure(client, send(client, Path(name) / "photos"), send(client, options.folder), options)


def measure(client: Pawsort, photographs: str, labelled: str, options: argparse.Namespace) -> None:
    """Warm up, then alternate."""
    classify(client, photographs, options)
    ratios = []
    for number in range(1, options.rounds + 1):
        alone = classify(client, photographs, options)
        training = start_training(client, labelled, options.network)
        during = classify(client, photographs, options)
        n_epochs = stop_training(client, training)
        ratios.append(during / alone)
        rates = f"alone {alone:,.0f} images/s, during a training {during:,.0f} images/s ({n_epochs} epochs done)"
        print(f"round {number}: {rates}, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio of {options.rounds}: {statistics.median(ratios):.2f} (goal: at least {GOAL})")


def classify(client: Pawsort, upload: str, options: argparse.Namespace) -> float:
    """Images/s from the request to the last result."""
    job = new_id()
    started = time.perf_counter()
    client.jobs.create(job, upload=upload, model=options.network, name="bench")
    view = wait_for_end(client, job)
    if view.counts.done != options.images:
        raise RuntimeError(f"expected {options.images} results, got {view.counts}")
    return options.images / (time.perf_counter() - started)


def start_training(client: Pawsort, upload: str, network: Any) -> str:
    """A training that has finished its first epoch."""
    parameters: TrainingParametersInput = {"network": network, "epochs": EPOCHS, "early_stopping": 0}
    job = client.trainings.start([upload], **parameters).id
    while not client.jobs.epochs(job).items:
        if (view := client.jobs.get(job)).state in ENDED:
            raise RuntimeError(f"the training ended as {view.state}: {view.error}")
        time.sleep(POLL_S)
    return job


def stop_training(client: Pawsort, job: str) -> int:
    """Cancel a training. Returns the number of epochs that it had finished."""
    n_epochs = len(client.jobs.epochs(job).items)
    client.jobs.cancel(job)
    wait_for_end(client, job)
    return n_epochs


def wait_for_end(client: Pawsort, job: str) -> Job:
    """Wait for the end of a job, and return it."""
    while (view := client.jobs.get(job)).state not in ENDED:
        time.sleep(POLL_S)
    return view


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
