"""The speed of the product from upload to result, relative to only decoding and the network.

Run it with `make bench`. Each round measures both, one after the other, on the same files. The ratio is taken within a
round, so a drift in the machine's speed does not affect it. PAWSORT_TEST_DATA names a folder with photographs.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.bare_processes import BareProcesses, bare_processes
from benchmarks.photographs import make_folder
from instance.supervisor.attach import started_instance
from pawsort.api.http_client import PawsortClient
from pawsort.uploads.shards import Limits
from pawsort.uploads.sources import SourceFile, walk
from pawsort.uploads.transfer import limits_of, new_id, upload_files

WARM_UP = 1024
POLL_S = 0.1


def main() -> None:
    """Measure, and print one line for each round and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--network", default="seed-cnn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pawsort-bench-") as name:
        folder = Path(name)
        paths = make_folder(folder, options.images)
        with (
            bare_processes(options.processes, options.network) as bare,
            started_instance(folder / "data") as instance,
            PawsortClient(instance.address, instance.token) as client,
        ):
            measure(bare, client, folder / "photos", paths, options.network, options.rounds)


def measure(
    bare: BareProcesses, client: PawsortClient, folder: Path, paths: list[Path], network: str, n_rounds: int
) -> None:
    """Warm both up, then alternate."""
    bare.classify(paths[:WARM_UP])
    classify(client, folder, WARM_UP, network)
    ratios = []
    for number in range(1, n_rounds + 1):
        bare_s = bare.classify(paths)
        product_s = classify(client, folder, len(paths), network)
        ratios.append(bare_s / product_s)
        speeds = f"bare {len(paths) / bare_s:,.0f} images/s, end to end {len(paths) / product_s:,.0f} images/s"
        print(f"round {number}: {speeds}, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio of {n_rounds}: {statistics.median(ratios):.2f} (goal: at least 0.5)")


def classify(client: PawsortClient, folder: Path, n_files: int, network: str) -> float:
    """Upload files and wait for the job. Returns the seconds from the first request to the last result."""
    upload, job = new_id(), new_id()
    files = [item for item in walk([folder]) if isinstance(item, SourceFile)][:n_files]
    started = time.perf_counter()
    limits: Limits = limits_of(client.create_upload(upload, "bench"))
    client.create_job(job, upload, model=network, threshold=None, name="bench")
    upload_files(client, upload, files, limits, on_uploaded=lambda _: None, on_skip=print)
    while (view := client.get_job(job))["state"] != "done":
        time.sleep(POLL_S)
    seconds = time.perf_counter() - started
    if view["counts"]["done"] != n_files:
        raise RuntimeError(f"expected {n_files} results, got {view['counts']}")
    client.delete_job(job)
    return seconds


if __name__ == "__main__":
    main()
