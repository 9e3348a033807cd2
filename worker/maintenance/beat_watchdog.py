"""Supervision of Celery beat, which Celery starts as a process next to the maintenance worker and never checks again.

If beat has ended or stalled, the worker ends too, and its supervisor restarts both. If a worker was killed, its beat
ends too: otherwise it would run for ever, next to the beat of the worker's successor.
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

CHECK_S = 1.0
SILENT_ROUNDS = 12  # ticks of beat that may be missing
SHORTEST_S = 40.0  # Celery reconnects to a broker after up to 32 s
SUSPENDED_S = 5 * CHECK_S  # this process was stopped or got no CPU time, so it could not receive anything

log = structlog.get_logger()


class BeatWatchdog:
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
        self._last_tick_at = time.monotonic()

    def start(self) -> None:
        """Start the thread that supervises beat."""
        task_received.connect(self._note_tick, weak=False)
        threading.Thread(target=self._run, name="beat-guard", daemon=True).start()

    def _note_tick(self, **_: object) -> None:
        self._last_tick_at = time.monotonic()

    def _run(self) -> None:
        redis = connect(self._settings)  # one connection; it reconnects by itself
        while self._beat.is_alive():
            checked_at = time.monotonic()
            time.sleep(CHECK_S)  # not join() with a timeout: beat closes the handle that it would wait on
            was_suspended = time.monotonic() - checked_at > SUSPENDED_S
            if was_suspended or state.active_requests or not _answers(redis):
                self._note_tick()
            if time.monotonic() - self._last_tick_at > self._silence_s:
                return self._end("beat_silent")
        self._end("beat_died")

    def _end(self, event: str) -> None:
        if state.should_stop is None and state.should_terminate is None:
            log.error(event, note="this worker ends too, and is restarted together with a new beat")
            with suppress(ProcessLookupError):
                os.kill(self._beat.pid, signal.SIGKILL)  # a stalled process ignores every other signal
            os._exit(1)


def end_with_worker() -> None:
    """End this process, which is beat, as soon as the worker that started it has ended."""
    worker = current_process()._parent_pid  # not getppid(): the worker may have ended already
    threading.Thread(target=_exit_after, args=(worker,), name="end-with-worker", daemon=True).start()


def _exit_after(worker: int) -> None:
    while os.getppid() == worker:
        time.sleep(CHECK_S)
    os._exit(1)


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except (RedisError, OSError):
        return False
