"""Problems of an installation, each with its remedy, and work that waits its turn."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from core.messaging.broker import INFERENCE, MAINTENANCE, TRAINING
from core.operations.status import BrokerStatus, InstallationStatus
from web.pages.common.words import duration, in_bytes, plural

WAITS_LONG_S = 60.0
MESSAGE_WAITS_LONG_S = 3600.0  # more than a receiver needs to restart: then come the attempts after hours
SHOWN = 5


@dataclass(frozen=True)
class Trouble:
    """One problem: what it means, and what to do. One that is not urgent is a note, such as a queue that moves."""

    title: str
    remedy: str
    is_urgent: bool = True


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
    elif broker.refusal is not None:
        yield Trouble("The broker takes no messages, so workers receive no new work.", broker.refusal)
    if free_bytes is not None and free_bytes < 2 * min_free_bytes:
        yield Trouble(
            f"The disk has {in_bytes(free_bytes)} left; uploads are refused below {in_bytes(min_free_bytes)}.",
            "Delete old jobs, free disk space, or lower PAWSORT_MIN_FREE_BYTES.",
        )
    yield from _workers(installation, own_version)
    yield from _silent(installation)
    if installation.n_suspect:
        yield Trouble(
            f"Started three times or more: {plural(installation.n_suspect, 'chunk')} of jobs.",
            "Their workers stopped or failed; see the list below. Pictures that crash the decoder are identified"
            " automatically. If a chunk never ends, check the logs of the workers.",
        )
    yield from _queues(installation)
    yield from _webhooks(installation)


def _webhooks(installation: InstallationStatus) -> Iterator[Trouble]:
    if installation.webhooks.oldest_s > MESSAGE_WAITS_LONG_S:
        messages = plural(installation.webhooks.n_messages, "message")
        yield Trouble(
            f"Waiting for webhooks: {messages}, the oldest for {duration(installation.webhooks.oldest_s)}.",
            "Their receivers do not answer, or refuse them. The pages of the webhooks show the answers and the next"
            " attempts.",
            is_urgent=False,
        )


def _silent(installation: InstallationStatus) -> Iterator[Trouble]:
    for worker in installation.silent[:SHOWN]:
        yield Trouble(
            f"A worker for {worker.queue} is not responding: process {worker.pid} on {worker.host}."
            " Its work is reassigned.",
            "If the process still exists, it is stalled: restart its container or service, or `pawsort up`. If it is"
            " gone, the end of its log says why.",
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
    others = sorted({worker.versions.get("pawsort", "?") for worker in installation.workers} - {own_version})
    if others:
        yield Trouble(
            f"Some workers have another version ({', '.join(others)}) than this server ({own_version}).",
            "Install the same version everywhere and restart them.",
        )


def _queues(installation: InstallationStatus) -> Iterator[Trouble]:
    """Work that waits although workers are alive: they are busy with other work."""
    alive = {worker.queue for worker in installation.workers}
    for queue, what, remedy in (
        (INFERENCE, plural(installation.images["open"], "picture"), "More workers sort faster."),
        (TRAINING, plural(installation.n_trainings_queued, "training"), "Trainings run one after another."),
    ):
        waits_s = installation.oldest_s[queue]
        if queue in alive and waits_s > WAITS_LONG_S:
            are = "is" if what.startswith("1 ") else "are"
            yield Trouble(f"{what} {are} queued ({duration(waits_s)}).", remedy, is_urgent=False)
