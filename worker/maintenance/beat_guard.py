"""Celery starts beat as a process beside the maintenance worker and never looks after it again: we do.

A beat that has ended, or hangs, ends the worker as well: whoever watches over that one starts both again. A worker that
was killed takes its beat along: otherwise it would beat for ever, beside that of the worker's successor.
"""

import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from billiard import current_process
from celery.signals import task_received
from celery.worker import state
from redis import Redis
from redis.exceptions import RedisError

from core.base.config import Settings
from core.messaging.broker import connect

LOOK_S = 1.0
SILENT_ROUNDS = 12  # ticks of beat that may be missing
SHORTEST_S = 40.0  # Celery reconnects to a broker after up to 32 s
STANDSTILL_S = 5 * LOOK_S  # this process was stopped or got no CPU time, so it could not receive anything

log = structlog.get_logger()


class BeatWatch:
    """Ends this process if beat has ended, or if no tick of it arrives although the broker answers.

    If several workers share the queue, the ticks of all beats reach all workers in turn. If a worker gets none for this
    long, no beat is filling the queue.

    Args:
        beat: The process of beat.
        silence_s: Longest time without a tick.
    """

    def __init__(self, beat: Any, settings: Settings, silence_s: float | None = None) -> None:
        self._beat = beat
        self._settings = settings
        self._silence_s = silence_s or max(SILENT_ROUNDS * settings.reconcile_s, SHORTEST_S)
        self._heard_at = time.monotonic()

    def start(self) -> None:
        """Start the thread that supervises beat."""
        task_received.connect(self._hear, weak=False)
        threading.Thread(target=self._run, name="beat-watch", daemon=True).start()

    def _hear(self, **_: object) -> None:
        self._heard_at = time.monotonic()

    def _run(self) -> None:
        redis = connect(self._settings)  # one connection; it reconnects by itself
        while self._beat.is_alive():
            looked_at = time.monotonic()
            time.sleep(
                LOOK_S
            )  # join() with a timeout would not return in time: beat closes the handle that it waits on
            stood_still = time.monotonic() - looked_at > STANDSTILL_S
            if stood_still or state.active_requests or not _answers(redis):
                self._hear()
            if time.monotonic() - self._heard_at > self._silence_s:
                return self._end("beat_silent")
        self._end("beat_died")

    def _end(self, event: str) -> None:
        if state.should_stop is None and state.should_terminate is None:
            log.error(event, note="this worker ends too, and is restarted together with a new beat")
            with suppress(ProcessLookupError):
                os.kill(self._beat.pid, signal.SIGKILL)  # a stalled process ignores every other signal
            os._exit(1)


def end_with_worker() -> None:
    """Have this process, which is beat, end when the worker that has started it is gone."""
    worker = current_process()._parent_pid  # not getppid(): it may be gone already
    threading.Thread(target=_outlive_nobody, args=(worker,), name="end-with-worker", daemon=True).start()


def _outlive_nobody(worker: int) -> None:
    while os.getppid() == worker:
        time.sleep(LOOK_S)
    os._exit(1)


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except (RedisError, OSError):
        return False
