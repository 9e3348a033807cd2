"""What is wrong with an installation and what to do about it, from what was seen of it."""

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
    """One thing that is wrong: what it means, and what helps."""

    what: str
    todo: str


def find_troubles(
    seen: InstallationStatus,
    broker: BrokerStatus | None,
    *,
    store_trouble: str | None,
    free_bytes: int | None,
    min_free_bytes: int,
    own_version: str,
) -> Iterator[Trouble]:
    """Everything that is wrong, what stops most work first.

    Args:
        store_trouble: What is wrong with the blob store; None when it answers.
        free_bytes: Room on the disk of the blob store; None where it does not say.
        min_free_bytes: What has to stay free there.
        own_version: The version of this web process.
    """
    if store_trouble is not None:
        yield Trouble("Pictures can neither be stored nor read.", store_trouble)
    if broker is None:
        yield Trouble(
            "The broker does not answer, so workers learn of no new work. Nothing is lost; it waits.",
            "Start Redis again, or correct PAWSORT_REDIS_URL. Waiting work is found again within seconds.",
        )
    if free_bytes is not None and free_bytes < 2 * min_free_bytes:
        yield Trouble(
            f"The disk has {in_bytes(free_bytes)} left; uploads are refused below {in_bytes(min_free_bytes)}.",
            "Delete jobs that are no longer needed, or make room.",
        )
    yield from _workers(seen, own_version)
    yield from _silent(seen)
    if seen.n_suspect:
        yield Trouble(
            f"{plural(seen.n_suspect, 'part')} of jobs had to be begun three times or more.",
            "Their workers died or failed: the list below names them. Pictures that kill the decoder are found out by"
            " themselves; look into the workers' logs when a part never ends.",
        )


def _silent(seen: InstallationStatus) -> Iterator[Trouble]:
    for worker in seen.silent[:SHOWN]:
        yield Trouble(
            f"A worker for {worker.queue} has fallen silent: process {worker.pid} on {worker.host}."
            " Its work goes to others.",
            "If the process is still there, it hangs: end it (`kill -9`, or restart its container); another takes its"
            " place. If it is gone, the end of its log says why.",
        )


def _workers(seen: InstallationStatus, own_version: str) -> Iterator[Trouble]:
    alive = Counter(worker.queue for worker in seen.workers)
    start = "Start one: `pawsort worker {}`, or the whole machine with `pawsort up`; its log says why it ended."
    if not alive[INFERENCE]:
        yield Trouble("No worker for inference is alive, so no picture is classified.", start.format(INFERENCE))
    if not alive[MAINTENANCE]:
        yield Trouble(
            "No worker for maintenance is alive: what a dead worker left is not done by others, schedules do not"
            " begin, and what was deleted keeps its room.",
            start.format(MAINTENANCE),
        )
    if not alive[TRAINING] and seen.oldest_s[TRAINING]:
        yield Trouble("A training waits, and no worker for training is alive.", start.format(TRAINING))
    for queue, todo in (
        (INFERENCE, "They are busy; more of them make it faster: `--scale inference=3`, or another machine."),
        (TRAINING, "Trainings are done one after another; another worker does two at once."),
    ):
        if alive[queue] and seen.oldest_s[queue] > WAITS_LONG_S:
            waits = duration(seen.oldest_s[queue])
            yield Trouble(f"Work for {queue} has waited for {waits}; {plural(alive[queue], 'worker')} there.", todo)
    others = sorted({worker.versions.get("pawsort", "?") for worker in seen.workers} - {own_version})
    if others:
        yield Trouble(
            f"Workers run another version ({', '.join(others)}) than this page ({own_version}).",
            "Install the same version everywhere and start them again.",
        )
