"""The tasks that messages name: a name and one call each. All are safe to run twice and in any order.

They are shared tasks, because a spawned child process gets a copy of the application with only the tasks that modules
declare.
"""

from celery import shared_task

from core.messaging.broker import CLASSIFY, CLASSIFY_CHUNK, CONVERT, PURGE, RECONCILE, SCHEDULES, SWEEP, TRAIN
from worker.inference import classification
from worker.maintenance import reconcile
from worker.process import runtime
from worker.schedules import due_schedules
from worker.training import conversion, train_network


@shared_task(name=CLASSIFY)  # type: ignore[untyped-decorator]
def classify() -> None:
    """Classify the chunks that are ready."""
    classification.classify_ready(runtime.get())


@shared_task(name=CLASSIFY_CHUNK)  # type: ignore[untyped-decorator]
def classify_chunk(_chunk_id: int) -> None:
    """A message of an earlier version: what is ready is classified, this chunk among them."""
    classification.classify_ready(runtime.get())


@shared_task(name=TRAIN)  # type: ignore[untyped-decorator]
def train(job_id: int) -> None:
    """Do a training, evaluation or label quality job if that is still to be done."""
    train_network.train(runtime.get(), job_id)


@shared_task(name=CONVERT)  # type: ignore[untyped-decorator]
def convert() -> None:
    """Convert versions for LiteRT that have not been converted yet."""
    conversion.convert_missing(runtime.get())


@shared_task(name=RECONCILE)  # type: ignore[untyped-decorator]
def reconcile_all() -> None:
    """Requeue, finish and delete."""
    reconcile.reconcile(runtime.get())


@shared_task(name=SCHEDULES)  # type: ignore[untyped-decorator]
def tick_schedules() -> None:
    """Start runs of due schedules."""
    due_schedules.tick(runtime.get().db)


@shared_task(name=PURGE)  # type: ignore[untyped-decorator]
def purge() -> None:
    """Delete the rows and blobs of everything marked as deleted."""
    reconcile.purge_deleted(runtime.get())


@shared_task(name=SWEEP)  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Delete blobs without a row, old workers, audit entries and deliveries, import records of deleted schedules."""
    reconcile.delete_orphans(runtime.get())
    runtime.get().db.keep_reserve()
    reconcile.delete_import_records(runtime.get())
    reconcile.delete_old_workers(runtime.get())
    reconcile.prune_audit_log(runtime.get())
    reconcile.prune_webhook_deliveries(runtime.get())
    reconcile.encrypt_webhook_secrets(runtime.get())
