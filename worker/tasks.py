"""What messages name: a task is a name and one call."""

from celery import Celery

from core.broker import CLASSIFY_CHUNK, PURGE, RECONCILE, SWEEP
from worker import inference, reconcile
from worker.runtime import Runtime


def add_tasks(app: Celery, runtime: Runtime) -> None:
    """Give the application its tasks, all safe to run twice and in any order."""

    @app.task(name=CLASSIFY_CHUNK)  # type: ignore[untyped-decorator]
    def classify_chunk(chunk_id: int) -> None:
        inference.classify_chunk(runtime, chunk_id)

    @app.task(name=RECONCILE)  # type: ignore[untyped-decorator]
    def ring_again() -> None:
        reconcile.reconcile(runtime)

    @app.task(name=PURGE)  # type: ignore[untyped-decorator]
    def purge() -> None:
        reconcile.purge_deleted(runtime)

    @app.task(name=SWEEP)  # type: ignore[untyped-decorator]
    def sweep() -> None:
        reconcile.sweep_orphans(runtime)
