"""What messages name: a task is a name and one call. All are safe to run twice and in any order.

Shared tasks, because a spawned child gets a copy of the application that knows only what its modules declare.
"""

from celery import shared_task

from core.messaging.broker import CLASSIFY_CHUNK, PURGE, RECONCILE, SCHEDULES, SWEEP, TRAIN
from worker.inference import classification
from worker.maintenance import reconcile
from worker.process import runtime
from worker.schedules import due_schedules
from worker.training import train_network


@shared_task(name=CLASSIFY_CHUNK)  # type: ignore[untyped-decorator]
def classify_chunk(chunk_id: int) -> None:
    """Classify a chunk, if it still has to be."""
    classification.classify_chunk(runtime.get(), chunk_id)


@shared_task(name=TRAIN)  # type: ignore[untyped-decorator]
def train(job_id: int) -> None:
    """Train a network, if it still has to be."""
    train_network.train(runtime.get(), job_id)


@shared_task(name=RECONCILE)  # type: ignore[untyped-decorator]
def reconcile_all() -> None:
    """Ring again, finish, purge."""
    reconcile.reconcile(runtime.get())


@shared_task(name=SCHEDULES)  # type: ignore[untyped-decorator]
def tick_schedules() -> None:
    """Begin what has come due."""
    due_schedules.tick(runtime.get().db)


@shared_task(name=PURGE)  # type: ignore[untyped-decorator]
def purge() -> None:
    """Remove what was deleted."""
    reconcile.purge_deleted(runtime.get())


@shared_task(name=SWEEP)  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Remove blobs that nothing names, workers that ended long ago, and what deleted schedules knew of files."""
    reconcile.delete_orphans(runtime.get())
    reconcile.delete_import_records(runtime.get())
    reconcile.delete_old_workers(runtime.get())
