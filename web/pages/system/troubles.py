"""Problems of an installation, each with its remedy."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from core.messaging.broker import INFERENCE, MAINTENANCE, TRAINING
from core.operations.status import BrokerStatus, InstallationStatus
from web.pages.common.words import duration, in_bytes, plural

WAITS_LONG_S = 60.0
SHOWN = 5


@dataclass(frozen=True)
class Trouble:
    """One problem: what it means, and what to do."""

    title: str
    remedy: str


def find_troubles(
    installation: InstallationStatus,
    broker: BrokerStatus | None,
    *,
    store_error: str | None,
    free_bytes: int | None,
    min_free_bytes: int,
    own_version: str,
) -> Iterator[Trouble]:
    """All problems, the most serious first.

    Args:
        store_error: The error of the blob store; None if it responds.
        free_bytes: Free space on the disk of the blob store; None if unknown.
        min_free_bytes: The space that has to stay free there.
        own_version: The version of this web process.
    """
    if store_error is not None:
        yield Trouble("Pictures can’t be stored or read.", store_error)
    if broker is None:
        yield Trouble(
            "The broker does not respond, so workers receive no new work. Nothing is lost; the work is waiting.",
            "Restart Redis, or correct PAWSORT_REDIS_URL. Waiting work is requeued within seconds.",
        )
    if free_bytes is not None and free_bytes < 2 * min_free_bytes:
        yield Trouble(
            f"The disk has {in_bytes(free_bytes)} left; uploads are refused below {in_bytes(min_free_bytes)}.",
            "Delete old jobs, or free disk space.",
        )
    yield from _workers(installation, own_version)
    yield from _silent(installation)
    if installation.n_suspect:
        yield Trouble(
            f"Started three times or more: {plural(installation.n_suspect, 'chunk')} of jobs.",
            "Their workers stopped or failed; see the list below. Pictures that crash the decoder are identified"
            " automatically. If a chunk never ends, check the logs of the workers.",
        )


def _silent(installation: InstallationStatus) -> Iterator[Trouble]:
    for worker in installation.silent[:SHOWN]:
        yield Trouble(
            f"A worker for {worker.queue} is not responding: process {worker.pid} on {worker.host}."
            " Its work is reassigned.",
            "If the process still exists, it is stalled: end it (`kill -9`, or restart its container), and a new one"
            " starts. If it is gone, see the end of its log.",
        )


def _workers(installation: InstallationStatus, own_version: str) -> Iterator[Trouble]:
    alive = Counter(worker.queue for worker in installation.workers)
    start = "Start one with `pawsort worker {}`, or everything with `pawsort up`. The log says why the last one ended."
    if not alive[INFERENCE]:
        yield Trouble("No inference worker is alive, so no pictures are classified.", start.format(INFERENCE))
    if not alive[MAINTENANCE]:
        yield Trouble(
            "No maintenance worker is alive: work of dead workers is not reassigned, schedules do not run, and deleted"
            " data still takes disk space.",
            start.format(MAINTENANCE),
        )
    if not alive[TRAINING] and installation.oldest_s[TRAINING]:
        yield Trouble("A training is queued, and no training worker is alive.", start.format(TRAINING))
    for queue, remedy in (
        (INFERENCE, "All workers are busy. More workers are faster: `--scale inference=3`, or another machine."),
        (TRAINING, "Trainings run one after another. With another worker, two run at the same time."),
    ):
        if alive[queue] and installation.oldest_s[queue] > WAITS_LONG_S:
            waits = duration(installation.oldest_s[queue])
            yield Trouble(
                f"Work for {queue} has been queued for {waits}, with {plural(alive[queue], 'worker')}.", remedy
            )
    others = sorted({worker.versions.get("pawsort", "?") for worker in installation.workers} - {own_version})
    if others:
        yield Trouble(
            f"Some workers have another version ({', '.join(others)}) than this server ({own_version}).",
            "Install the same version everywhere and restart them.",
        )
