"""The speed of the product in one table: `make bench`, or `python -m benchmarks [--json FILE] [--images N]… [--quick]`.

It needs an otherwise idle machine. PAWSORT_TEST_DATA names a folder with photographs; without it, drawn ones are used.
"""

import argparse
import statistics
import tempfile
from contextlib import suppress
from pathlib import Path

from benchmarks import instance_figures
from benchmarks.baselines import measure_keras_pipeline, measure_single_predictions
from benchmarks.figures import Figures
from benchmarks.hardware_limit import BareProcesses, bare_processes
from benchmarks.photographs import make_folder, make_large_photographs
from benchmarks.threads import use_one_thread
from benchmarks.throughput import Throughput
from core.base.network_catalog import NETWORKS, TRAINABLE
from instance.supervisor.attach import started_instance
from pawsort.api.errors import RequestFailed
from pawsort.client.pawsort import Pawsort
from pawsort.operations.references import new_id

MEASURED = ("seed-cnn", "efficientnet-lite0", "efficientnet-lite0-fast")
N_LARGE = 200
N_SINGLE = 100
N_PROCESSES = 2


def main() -> None:
    """Measure everything, print the table, and write JSON where wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, action="append", help="originals, repeated as needed; several times")
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help=f"instead of {', '.join(MEASURED)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="300 originals and 20 photographs, one round")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    use_one_thread()
    images, rounds = options.images or [1_000, 10_000, 100_000], options.rounds
    if options.quick:
        images, rounds = [300], 1
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="pawsort-bench-") as name:
        folder = Path(name)
        inputs = {f"{n:,} originals": make_folder(folder / str(n), n) for n in images}
        n_large = 20 if options.quick else N_LARGE
        inputs[f"{n_large} photographs of 12 megapixels"] = make_large_photographs(folder / "large", n_large)
        instance_figures.measure_start(figures, folder / "data", rounds)
        for network in options.network or MEASURED:
            _measure_network(figures, folder, network, inputs, rounds)
    print(f"\n{figures.table()}")
    if options.json:
        figures.write_json(options.json)


def _measure_network(figures: Figures, folder: Path, network: str, inputs: dict[str, list[Path]], rounds: int) -> None:
    smallest = next(iter(inputs.values()))
    data_dir = folder / "data"
    with (
        bare_processes(N_PROCESSES, network) as bare,
        started_instance(data_dir, default_network=network, min_free_bytes=0) as instance,
        Pawsort(instance.address, instance.token) as client,
    ):
        instance_figures.measure_memory(figures, data_dir, f"idle, {network}")
        Throughput(bare, client, smallest[0].parents[1], smallest, network).run_round()  # warms everything up
        instance_figures.measure_one_picture(figures, client, smallest[0], network, 5 * rounds)
        instance_figures.measure_command(figures, data_dir, smallest[0], 3 * rounds)
        for subject, paths in inputs.items():
            _measure_throughput(figures, bare, client, f"{subject}, {network}", paths, network, rounds)
        instance_figures.measure_memory(figures, data_dir, f"after all jobs, {network}")
        _measure_pages(figures, client, instance.address, instance.token, network)
    if network in TRAINABLE:  # of the others no weights in float are shipped
        _measure_baselines(figures, network, smallest)


def _measure_baselines(figures: Figures, network: str, smallest: list[Path]) -> None:
    keras_pipeline = measure_keras_pipeline(smallest[0].parents[1], network)
    figures.add(f"{len(smallest):,} originals, {network}, Keras pipeline", keras_pipeline, "images/s")
    single = measure_single_predictions(smallest[:N_SINGLE], network)
    figures.add(f"{min(len(smallest), N_SINGLE)} originals, {network}, one predict each", single, "images/s")


def _measure_throughput(
    figures: Figures,
    bare: BareProcesses,
    client: Pawsort,
    subject: str,
    paths: list[Path],
    network: str,
    rounds: int,
) -> None:
    measured = Throughput(bare, client, paths[0].parents[1], paths, network)
    for _ in range(rounds):
        measured.run_round()
    figures.add(f"{subject}, limit", statistics.median(measured.bare), "images/s", 1.0)
    for what, speeds in (("end to end", measured.end_to_end), ("upload is there", measured.again)):
        figures.add(f"{subject}, {what}", statistics.median(speeds), "images/s", measured.ratio(speeds))


def _measure_pages(figures: Figures, client: Pawsort, address: str, token: str, network: str) -> None:
    """Pages of the largest job, while it is classified once more."""
    largest = max(client.jobs.list(), key=lambda job: job.counts.n_images)
    running = new_id()
    client.jobs.create(running, upload=str(largest.upload), model=network, name="bench, meanwhile")
    instance_figures.measure_pages(figures, address, token, largest.id)
    with suppress(RequestFailed):  # it may be done already
        client.jobs.cancel(running)


if __name__ == "__main__":
    main()
