"""Images per second: the limit of the machine, the product from end to end, and over an upload that is there already.

The limit is decoding and the network alone, in bare processes. All three follow each other within a round, and ratios
are taken within a round, so a drift in the machine's speed does not affect them.
"""

import statistics
import time
from pathlib import Path

from benchmarks.hardware_limit import BareProcesses
from pawsort.client.pawsort import Pawsort
from pawsort.operations.references import new_id
from pawsort.uploads.shards import Limits
from pawsort.uploads.sources import SourceFile, walk
from pawsort.uploads.transfer import limits_of, upload_files
from pawsort.workflows.follow import wait_for_job


class Throughput:
    """Rounds over the same files.

    Attributes:
        bare, end_to_end, again: Images per second, one for each round.
    """

    def __init__(self, bare: BareProcesses, client: Pawsort, folder: Path, paths: list[Path], network: str) -> None:
        self._processes, self._client = bare, client
        self._folder, self._paths, self._network = folder, paths, network
        self.bare: list[float] = []
        self.end_to_end: list[float] = []
        self.again: list[float] = []

    def run_round(self) -> None:
        """Measure each of the three once."""
        n = len(self._paths)
        self.bare.append(n / self._processes.classify(self._paths))
        upload, seconds = self._send_and_classify()
        self.end_to_end.append(n / seconds)
        self.again.append(n / self._classify_again(upload))

    def ratio(self, speeds: list[float]) -> float:
        """The median of the rounds' ratios to the limit."""
        return statistics.median(speed / limit for speed, limit in zip(speeds, self.bare, strict=True))

    def _send_and_classify(self) -> tuple[str, float]:
        """The upload, and the seconds from the first request to the end of the job, as the server noted it."""
        upload, job = new_id(), new_id()
        files = [item for item in walk([self._folder]) if isinstance(item, SourceFile)]
        started = time.time()
        uploads = self._client.uploads
        limits: Limits = limits_of(uploads.create(upload, name="bench"))
        self._client.jobs.create(job, upload=upload, model=self._network, name="bench")
        upload_files(uploads, upload, files, limits, on_uploaded=lambda _: None, on_skip=print)
        return upload, self._wait(job) - started

    def _classify_again(self, upload: str) -> float:
        """Seconds from the request to the end of the job."""
        job = new_id()
        started = time.time()
        self._client.jobs.create(job, upload=upload, model=self._network, name="bench again")
        return self._wait(job) - started

    def _wait(self, job: str) -> float:
        """When it ended, in seconds since 1970: who waits is told up to two seconds later."""
        view = self._client.transport.run(wait_for_job(job))
        if view.counts.done != len(self._paths):
            raise RuntimeError(f"expected {len(self._paths)} results, got {view.counts}")
        assert view.finished_at is not None
        return view.finished_at.timestamp()
