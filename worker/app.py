"""The Celery application of the workers: `celery -A worker.app worker -Q inference`.

Neither this module nor its imports import TensorFlow: if a parent process has loaded it, its children hang.
"""

import atexit
import os
import threading
import time
from functools import partial
from typing import Any

import structlog
from billiard import current_process
from celery.signals import (
    beat_embedded_init,
    beat_init,
    celeryd_after_setup,
    celeryd_init,
    setup_logging,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)
from celery.worker.control import control_command

from core.base import gpus
from core.messaging.broker import INFERENCE, MAINTENANCE, RECONCILE, SCHEDULES, SWEEP, TRAINING, make_celery
from core.operations.log_relay import gather_lines
from core.operations.log_setup import set_up_logs
from core.operations.start_gate import wait_until_open
from worker import tasks
from worker.inference.side_lanes import start_side_lanes
from worker.maintenance import discard_originals, webhooks
from worker.maintenance.beat_watchdog import BeatWatchdog, end_with_worker
from worker.process import runtime
from worker.process.niceness import lower_priority
from worker.process.pool_watchdog import PoolWatchdog
from worker.schedules import run_loop

log = structlog.get_logger()

SWEEP_S = 3600.0
START_AGAIN_S = 2.0

settings = runtime.get().settings
app = make_celery(settings)
app.conf.include = [__name__, tasks.__name__]
app.conf.beat_max_loop_interval = settings.heartbeat_s  # so often a beat of its own shows that it is alive
app.conf.beat_schedule = {
    "reconcile": {
        "task": RECONCILE,
        "schedule": settings.reconcile_s,
        "options": {"queue": MAINTENANCE, "expires": settings.reconcile_s},
    },
    "schedules": {
        "task": SCHEDULES,
        "schedule": settings.reconcile_s,
        "options": {"queue": MAINTENANCE, "expires": settings.reconcile_s},
    },
    "sweep": {"task": SWEEP, "schedule": SWEEP_S, "options": {"queue": MAINTENANCE, "expires": SWEEP_S}},
}


@celeryd_init.connect  # type: ignore[untyped-decorator]
@beat_init.connect  # type: ignore[untyped-decorator]
def _gather_lines(**_: object) -> None:
    if settings.strict_json_logs:
        gather_lines()


@setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logs(**_: object) -> None:
    set_up_logs()


@celeryd_after_setup.connect  # type: ignore[untyped-decorator]
def _tell_children_their_queues(instance: Any, **_: object) -> None:
    os.environ["PAWSORT_QUEUES"] = ",".join(instance.app.amqp.queues.consume_from)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _start_process(**_: object) -> None:
    """In a child of the inference worker, load and warm up the version in use before the first claim.

    A child of the training worker only starts its heartbeat.
    """
    set_up_logs()
    wait_until_open(settings.data_dir)
    queues = settings.queues.split(",")
    for queue in (INFERENCE, TRAINING):
        if queue in queues:
            if queue == INFERENCE and settings.processes_per_gpu:
                slot = getattr(current_process(), "index", 0)
                log.info("gpu_taken", slot=slot, gpu=gpus.claim_gpu(slot))
            _start_until_it_works(queue)
            if queue == INFERENCE:
                _start_side_lanes()
            if queue == TRAINING:
                lower_priority()
            return


def _start_side_lanes() -> None:
    for lane in start_side_lanes(runtime.get()):
        worker_process_shutdown.connect(lambda lane=lane, **_: lane.stop(), weak=False)


def _start_until_it_works(queue: str) -> None:
    """Start the runtime, and retry after errors: Celery would ignore them and use a process without a heartbeat.

    A pool replaces a process that is not ready in time (`worker_proc_alive_timeout`).
    """
    while True:
        try:
            return runtime.get().start(queue)
        except Exception as error:  # a database or store that does not answer for a moment
            log.warning("start_failed", error=f"{type(error).__name__}: {error}", again_in_s=START_AGAIN_S)
            time.sleep(START_AGAIN_S)


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _stop_process(**_: object) -> None:
    runtime.get().stop()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _start_threads(sender: Any, **_: object) -> None:
    """Start the threads of the maintenance worker, which has no children."""
    if MAINTENANCE in sender.app.amqp.queues.consume_from:
        atexit.register(_stop_process)  # Celery does not send its own signal when a worker is told to stop at once
        threading.Thread(target=_start_until_it_works, args=(MAINTENANCE,), name="start", daemon=True).start()
        run_loop.RunLoop(runtime.get()).start()
        discard_originals.start(runtime.get())
        webhooks.WebhookSender(runtime.get()).start()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _watch_pool(sender: Any, **_: object) -> None:
    queues = sender.app.amqp.queues.consume_from
    for queue in (INFERENCE, TRAINING):
        if queue in queues:
            list_pids = partial(_list_processes, sender.pool)
            PoolWatchdog(list_pids, settings.data_dir, queue, settings.lease_s).start()


def _list_processes(pool: Any) -> list[int]:
    return list(pool.info.get("processes", ()))


@control_command(name="shutdown")  # type: ignore[untyped-decorator]
def _refuse_shutdown(_: object, **__: object) -> dict[str, str]:
    """Refuse to end because a message says so: who reaches the broker would stop every worker."""
    log.warning("shutdown_refused", remedy="stop the process with SIGTERM")
    return {"error": "Workers end only by a signal, where they run."}


@worker_ready.connect  # type: ignore[untyped-decorator]
def _watch_beat(sender: Any, **_: object) -> None:
    beat = getattr(sender.controller, "beat", None)
    if beat is not None:
        BeatWatchdog(beat, settings).start()


@beat_embedded_init.connect  # type: ignore[untyped-decorator]
def _end_beat_with_its_worker(**_: object) -> None:
    end_with_worker()
