"""The Celery application of the workers: `celery -A worker.app worker -Q inference`.

Nothing here, and nothing that is imported from here, imports TensorFlow: a parent that has it hangs its children.
"""

from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from core.broker import INFERENCE, MAINTENANCE, RECONCILE, SWEEP, make_celery
from core.config import load_settings
from worker import tasks
from worker.logs import set_up_logs
from worker.runtime import Runtime

SWEEP_S = 3600.0

settings = load_settings()
app = make_celery(settings)
app.conf.beat_schedule = {
    "reconcile": {
        "task": RECONCILE,
        "schedule": settings.reconcile_s,
        "options": {"queue": MAINTENANCE, "expires": settings.reconcile_s},
    },
    "sweep": {"task": SWEEP, "schedule": SWEEP_S, "options": {"queue": MAINTENANCE, "expires": SWEEP_S}},
}
runtime = Runtime(settings, app)
tasks.add_tasks(app, runtime)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logs(**_: object) -> None:
    set_up_logs()


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _start_process(**_: object) -> None:
    """A child of the inference worker: load the version in use and warm it before the first claim."""
    runtime.start(INFERENCE)


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _stop_process(**_: object) -> None:
    runtime.stop()
