"""What the maintenance worker does every few seconds, so that nothing depends on a message having arrived.

Requeues chunks whose lease ran out; ready ones only while the queue is shorter than the workers, or it
would flood the queue. Ends jobs and uploads that nobody came back for, and deletes what was marked as deleted.
"""

import time
from contextlib import suppress

import structlog

from core.base.errors import Gone
from core.cleanup import purge
from core.ingest import imported_files, shard_rows
from core.jobs import chunks, job_states
from core.messaging.broker import INFERENCE, TRAINING, queue_length
from core.operations import workers
from core.operations.metrics import REQUEUED
from core.training import claims
from core.uploads import uploads
from worker.process.runtime import Runtime

log = structlog.get_logger()

MAX_REQUEUED = 256
MAX_WAITING = 10_000  # beyond it more messages only fill Redis: what waits there wakes the workers anyway
PURGE_S = 3.0  # of each round, so that a large deletion never delays requeueing
ORPHAN_AGE_S = 3600.0
DAY_S = 86_400.0
WORKER_DAYS = 30.0


def reconcile(runtime: Runtime) -> None:
    """One round; safe to run anywhere, any number of times, and several at once."""
    requeue_chunks(runtime)
    requeue_trainings(runtime)
    finish_silent_uploads(runtime)
    purge_deleted(runtime)


def requeue_chunks(runtime: Runtime) -> None:
    """Send messages for chunks that wait without one, or whose worker stopped renewing their lease."""
    n_waiting = queue_length(runtime.redis, INFERENCE, runtime.settings.redis_prefix)
    if n_waiting is None or n_waiting > MAX_WAITING:
        return
    with runtime.db.read() as session:
        run_out = chunks.list_expired(session, MAX_REQUEUED)
        n_workers = workers.count_alive(session, INFERENCE, runtime.settings.alive_s)
        ready = chunks.list_ready(session, MAX_REQUEUED) if n_waiting <= n_workers else []
        stuck = job_states.list_finished_but_open(session)
    for job_id in stuck:
        with runtime.db.write() as session:
            job_states.finish_job(session, job_id)
    if run_out or ready:
        log.info("ring_again", run_out=len(run_out), ready=len(ready), waiting=n_waiting)
        runtime.meter.count(REQUEUED, len(run_out), reason="lease_ran_out")
        runtime.meter.count(REQUEUED, len(ready), reason="waiting")
        runtime.tasks.send_chunks([*run_out, *ready])


def requeue_trainings(runtime: Runtime) -> None:
    """Send messages for trainings that no worker holds, unless the queue has some already."""
    if queue_length(runtime.redis, TRAINING, runtime.settings.redis_prefix) != 0:
        return
    with runtime.db.read() as session:
        waiting = claims.list_waiting(session, MAX_REQUEUED)
    if waiting:
        log.info("ring_for_trainings", waiting=len(waiting))
        runtime.meter.count(REQUEUED, len(waiting), reason="training")
        runtime.tasks.send_trainings(waiting)


def finish_silent_uploads(runtime: Runtime) -> None:
    """Complete, with what arrived, uploads that nothing has been sent to for days."""
    with runtime.db.read() as session:
        silent = uploads.find_silent(session, runtime.settings.silent_days * DAY_S)
    for uuid in silent:
        with suppress(Gone), runtime.db.write() as session:  # somebody deleted it meanwhile
            shard_rows.complete_upload(session, uuid, partial=True)
        log.info("silent_upload_completed", upload=str(uuid))


def purge_deleted(runtime: Runtime) -> None:
    """Remove the rows and bytes of what was deleted."""
    n_purged = purge.purge_all(runtime.db, runtime.blobs, PURGE_S)
    if n_purged:
        log.info("purged", n=n_purged)


def forget_workers(runtime: Runtime) -> None:
    """Remove the rows of workers that ended long ago. Not sooner: a laptop may sleep for days, and its workers wake."""
    with runtime.db.write() as session:
        workers.delete_silent(session, WORKER_DAYS * DAY_S)


def forget_imports(runtime: Runtime) -> None:
    """Forget which files deleted schedules took in, slice by slice."""
    n_forgotten = -1
    while n_forgotten:
        with runtime.db.write() as session:
            n_forgotten = imported_files.forget_deleted(session)


def sweep_orphans(runtime: Runtime) -> None:
    """Delete blobs that an interrupted request left without a row."""
    orphans = list(purge.find_orphans(runtime.db, runtime.blobs, older_than=time.time() - ORPHAN_AGE_S))
    runtime.blobs.delete(orphans)
    if orphans:
        log.info("orphans_deleted", n=len(orphans))
